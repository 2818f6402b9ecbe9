//! Rectangles of text: boxes, side by side, one below the other. Columns are counted as a terminal does,
//! where a Hangul syllable takes two.

use unicode_width::UnicodeWidthStr;

/// Lines of equal width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) lines: Vec<String>,
    pub(super) width: usize,
}

/// How a border looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Border {
    Solid,
    /// Of what is not as it should be.
    Broken,
    /// Of what is not there.
    Dotted,
}

impl Border {
    /// Along, and upright.
    fn strokes(self) -> (&'static str, &'static str) {
        match self {
            Self::Solid => ("─", "│"),
            Self::Broken => ("╌", "╎"),
            Self::Dotted => ("┈", "┊"),
        }
    }
}

impl Block {
    pub(super) fn new(lines: Vec<String>) -> Self {
        let width = lines.iter().map(|line| line.width()).max().unwrap_or(0);
        Self { lines, width }.padded(width)
    }

    pub(super) fn padded(mut self, width: usize) -> Self {
        self.width = width.max(self.width);
        for line in &mut self.lines {
            let lacking = self.width.saturating_sub(line.width());
            line.push_str(&" ".repeat(lacking));
        }
        self
    }

    fn taller(mut self, height: usize) -> Self {
        while self.lines.len() < height {
            self.lines.push(" ".repeat(self.width));
        }
        self
    }

    /// With a border around, and a title in it.
    pub(super) fn boxed(self, title: &str, border: Border) -> Self {
        let (along, upright) = border.strokes();
        let title = if title.is_empty() { String::new() } else { format!(" {title} ") };
        let inner = self.width.max(title.width() + 1);
        let body = self.padded(inner);
        let rest = (inner + 1).saturating_sub(title.width());
        let mut lines = vec![format!("┌{along}{title}{}┐", along.repeat(rest))];
        lines.extend(body.lines.iter().map(|line| format!("{upright} {line} {upright}")));
        lines.push(format!("└{}┘", along.repeat(inner + 2)));
        Self::new(lines)
    }

    /// Rows of blocks that keep within `width`, as far as one block alone does.
    pub(super) fn flow(blocks: Vec<Self>, gap: usize, width: usize) -> Self {
        let mut rows: Vec<Vec<Self>> = Vec::new();
        let mut used = 0;
        for block in blocks {
            match rows.last_mut() {
                Some(row) if used + gap + block.width <= width => {
                    used += gap + block.width;
                    row.push(block);
                }
                _ => {
                    used = block.width;
                    rows.push(vec![block]);
                }
            }
        }
        Self::stack(rows.into_iter().map(|row| Self::beside(row, gap)).collect())
    }

    pub(super) fn beside(blocks: Vec<Self>, gap: usize) -> Self {
        let height = blocks.iter().map(|block| block.lines.len()).max().unwrap_or(0);
        let blocks: Vec<Self> = blocks.into_iter().map(|block| block.taller(height)).collect();
        let line = |row: usize| {
            blocks.iter().map(|block| block.lines[row].as_str()).collect::<Vec<_>>().join(&" ".repeat(gap))
        };
        Self::new((0..height).map(line).collect())
    }

    pub(super) fn stack(blocks: Vec<Self>) -> Self {
        Self::new(blocks.into_iter().flat_map(|block| block.lines).collect())
    }

    /// Without blanks at the ends of lines.
    pub(super) fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |text, line| text + line.trim_end() + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(lines: &[&str]) -> Block {
        Block::new(lines.iter().map(|line| (*line).to_owned()).collect())
    }

    #[test]
    fn wide_letters_take_two_columns() {
        let text = block(&["가나", "abc"]).boxed("데이터", Border::Solid).text();
        assert_eq!(text, "┌─ 데이터 ──┐\n│ 가나      │\n│ abc       │\n└───────────┘\n");
    }

    #[test]
    fn all_lines_of_a_box_are_of_one_width() {
        for title in ["", "k1", "a title that is longer than all that it stands above"] {
            let boxed = block(&["가", "b"]).boxed(title, Border::Broken);
            assert!(boxed.lines.iter().all(|line| line.width() == boxed.width), "{title}");
        }
    }

    #[test]
    fn what_has_no_room_in_a_row_begins_the_next() {
        let flow = Block::flow(vec![block(&["aaaa"]), block(&["bbbb"]), block(&["cc"])], 2, 10);
        assert_eq!(flow.text(), "aaaa  bbbb\ncc\n");
    }
}

//! Tables as the OpenStack command line draws them, and as plain columns.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

/// Rows of text under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), rows: Vec::new() }
    }

    /// A table whose columns only the run decides.
    pub fn of(head: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        Self { head, rows }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Columns with two spaces between, as kubectl prints; the last is not padded.
    pub fn columns(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, "{cell}{}", " ".repeat(width - cell.width() + 2));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.head.len())
            .map(|column| {
                let cells = std::iter::once(&self.head).chain(&self.rows);
                cells.filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_with_wide_letters() {
        let mut table = Table::new(["NAME", "STATUS"]);
        table.row(["가나".to_owned(), "Ready".to_owned()]);
        table.row(["k1".to_owned(), "Ready".to_owned()]);
        assert_eq!(table.columns(), "NAME  STATUS\n가나  Ready\nk1    Ready\n");
    }
}

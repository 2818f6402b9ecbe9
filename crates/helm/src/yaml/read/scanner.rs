//! From a text to its tokens, by the rules of libyaml and its child goyaml v2. What indentation says becomes tokens of
//! its own; a key without `?` is known by the `:` behind it, so that its token is put before what was read already.

use std::collections::VecDeque;

use super::cursor::{Cursor, Mark};
use super::error::YamlError;
use super::token::{Kind, Style, Token};

/// Nesting that is read; deeper is refused rather than risked.
pub const MAX_DEPTH: usize = 250;
/// A key without `?` is at most so long, in characters.
const MAX_SIMPLE_KEY: usize = 1024;

pub type Result<T> = std::result::Result<T, YamlError>;

#[derive(Debug)]
pub struct Scanner<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) queue: VecDeque<Token<'a>>,
    /// Tokens that left the queue.
    pub(super) taken: usize,
    /// The queue's head can no longer turn out to be a key.
    head_is_sure: bool,
    /// Column of the open block, -1 outside of all.
    pub(super) indent: isize,
    outer_indents: Vec<isize>,
    /// The block, and each level of brackets within.
    pub(super) levels: Vec<Level>,
    pub(super) simple_key_allowed: bool,
}

#[derive(Debug)]
pub(super) struct Level {
    pub key: Option<SimpleKey>,
    /// Number of the last token that could begin a key in it, at first of its bracket.
    pub token: usize,
}

/// What is a key if a `:` follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct SimpleKey {
    /// At this column only a key can stand.
    required: bool,
    /// Number of its first token.
    pub token: usize,
    /// That token is held back for a `:` that may come.
    pub awaited: bool,
    pub mark: Mark,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Result<Self> {
        let cursor = Cursor::new(text)
            .ok_or_else(|| YamlError::meaning(Mark::default(), "control characters are not allowed"))?;
        Ok(Self {
            cursor,
            queue: VecDeque::new(),
            taken: 0,
            head_is_sure: false,
            indent: -1,
            outer_indents: Vec::new(),
            levels: vec![Level { key: None, token: 0 }],
            simple_key_allowed: true,
        })
    }

    /// The next token, which stays.
    #[inline]
    pub fn peek(&mut self) -> Result<&Token<'a>> {
        if !self.head_is_sure {
            self.make_sure()?;
        }
        Ok(&self.queue[0])
    }

    /// Kept out of [`Scanner::peek`], since each token is peeked at several times.
    #[inline(never)]
    fn make_sure(&mut self) -> Result<()> {
        while self.queue.is_empty() || self.head_may_be_key()? {
            self.scan()?;
        }
        self.head_is_sure = true;
        Ok(())
    }

    /// Takes the token that was peeked at.
    pub fn take(&mut self) -> Result<Token<'a>> {
        let mark = self.peek()?.mark;
        self.head_is_sure = false;
        self.taken += 1;
        Ok(self.queue.pop_front().unwrap_or(Token { kind: Kind::StreamEnd, mark }))
    }

    fn head_may_be_key(&mut self) -> Result<bool> {
        let taken = self.taken;
        let is_head = |key: SimpleKey| key.token == taken && key.awaited;
        match self.levels.iter().position(|level| level.key.is_some_and(is_head)) {
            Some(level) => self.may_be_key(level),
            None => Ok(false),
        }
    }

    /// Forgets what may no longer be a key: it has to be short, and in one line.
    pub(super) fn may_be_key(&mut self, level: usize) -> Result<bool> {
        let Some(key) = self.levels[level].key else { return Ok(false) };
        let mark = self.cursor.mark();
        if key.mark.line < mark.line || key.mark.index + MAX_SIMPLE_KEY < mark.index {
            self.no_key(level)?;
            return Ok(false);
        }
        Ok(true)
    }

    fn no_key(&mut self, level: usize) -> Result<()> {
        match self.levels[level].key.take() {
            Some(key) if key.required => Err(self.error("could not find expected ':'")),
            _ => Ok(()),
        }
    }

    pub(super) fn no_key_here(&mut self) -> Result<()> {
        self.no_key(self.levels.len() - 1)
    }

    /// What begins here may be a key; right behind it none can begin.
    pub(super) fn key_begins(&mut self) -> Result<()> {
        if self.simple_key_allowed {
            let mark = self.cursor.mark();
            let required = !self.in_flow() && self.indent == mark.column as isize;
            self.no_key_here()?;
            let token = self.taken + self.queue.len();
            let key = Some(SimpleKey { required, token, awaited: true, mark });
            if let Some(level) = self.levels.last_mut() {
                *level = Level { key, token };
            }
            self.simple_key_allowed = false;
        }
        Ok(())
    }

    pub(super) fn error(&self, message: &str) -> YamlError {
        YamlError::scan(self.cursor.mark(), message)
    }

    /// Within brackets.
    pub(super) fn in_flow(&self) -> bool {
        self.levels.len() > 1
    }

    fn push(&mut self, kind: Kind<'a>, mark: Mark) {
        self.queue.push_back(Token { kind, mark });
    }

    /// A sign of its own.
    pub(super) fn push_sign(&mut self, kind: Kind<'a>, length: usize) {
        let mark = self.cursor.mark();
        self.cursor.advance_to(self.cursor.at() + length);
        self.push(kind, mark);
    }

    /// Outside of brackets a sign of a block stands only where a key could, and may open a block.
    pub(super) fn open_block_here(&mut self, kind: Kind<'a>, refusal: &str) -> Result<()> {
        if !self.in_flow() {
            if !self.simple_key_allowed {
                return Err(self.error(refusal));
            }
            self.open_block(kind, self.cursor.mark(), None);
        }
        Ok(())
    }

    /// A block begins at a column that is further right; its token goes behind the others, or where its first key is.
    pub(super) fn open_block(&mut self, kind: Kind<'a>, mark: Mark, at: Option<usize>) {
        if !self.in_flow() && self.indent < mark.column as isize {
            self.outer_indents.push(self.indent);
            self.indent = mark.column as isize;
            let at = at.map_or(self.queue.len(), |token| self.place(token));
            self.queue.insert(at, Token { kind, mark });
        }
    }

    /// Where in the queue a token is; at its end if it has left it.
    pub(super) fn place(&self, token: usize) -> usize {
        token.checked_sub(self.taken).unwrap_or(self.queue.len())
    }

    /// Blocks end that are further right than a column.
    fn close_blocks(&mut self, column: isize) {
        while !self.in_flow() && self.indent > column {
            self.push(Kind::BlockEnd, self.cursor.mark());
            self.indent = self.outer_indents.pop().unwrap_or(-1);
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            while self.cursor.byte() == b' '
                || (self.cursor.byte() == b'\t' && (self.in_flow() || !self.simple_key_allowed))
            {
                self.cursor.advance_to(self.cursor.at() + 1);
            }
            self.cursor.skip_comment();
            if self.cursor.line_break().is_none() {
                return;
            }
            if !self.in_flow() {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Reads one token, or what belongs together.
    fn scan(&mut self) -> Result<()> {
        self.skip_to_token();
        let at = self.cursor.at();
        let column = self.cursor.column();
        self.close_blocks(column as isize);
        if self.cursor.at_document_indicator() {
            let kind = if self.cursor.byte() == b'-' { Kind::DocumentStart } else { Kind::DocumentEnd };
            self.leave_blocks()?;
            self.push_sign(kind, 3);
            return Ok(());
        }
        let before_blank = |scanner: &Self| scanner.cursor.is_blank_or_end(at + 1);
        match self.cursor.byte() {
            0 => {
                self.cursor.end_line();
                self.leave_blocks()?;
                self.push(Kind::StreamEnd, self.cursor.mark());
                Ok(())
            }
            b'%' if column == 0 => {
                self.leave_blocks()?;
                let token = self.directive()?;
                self.queue.push_back(token);
                Ok(())
            }
            b'[' => self.flow_start(Kind::FlowSequenceStart),
            b'{' => self.flow_start(Kind::FlowMappingStart),
            b']' => self.flow_end(Kind::FlowSequenceEnd),
            b'}' => self.flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.no_key_here()?;
                self.simple_key_allowed = true;
                self.push_sign(Kind::FlowEntry, 1);
                Ok(())
            }
            b'-' if before_blank(self) => self.block_entry(),
            b'?' if self.in_flow() || before_blank(self) => self.key(),
            b':' if self.in_flow() || before_blank(self) => self.value(),
            b'*' | b'&' => {
                self.key_begins()?;
                let token = self.anchor()?;
                self.queue.push_back(token);
                Ok(())
            }
            b'!' => {
                self.key_begins()?;
                let token = self.tag()?;
                self.queue.push_back(token);
                Ok(())
            }
            b'|' | b'>' if !self.in_flow() => {
                self.no_key_here()?;
                self.simple_key_allowed = true;
                let mark = self.cursor.mark();
                let text = self.block_scalar()?;
                self.push(Kind::Scalar(text.into(), Style::Quoted), mark);
                Ok(())
            }
            b'\'' | b'"' => {
                self.key_begins()?;
                let mark = self.cursor.mark();
                let text = self.quoted_scalar()?;
                self.push(Kind::Scalar(text, Style::Quoted), mark);
                Ok(())
            }
            b'\t' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                Err(self.error("found character that cannot start any token"))
            }
            _ => self.plain(),
        }
    }

    /// Before a document begins or ends all blocks do.
    fn leave_blocks(&mut self) -> Result<()> {
        self.close_blocks(-1);
        self.no_key_here()?;
        self.simple_key_allowed = false;
        Ok(())
    }

    fn plain(&mut self) -> Result<()> {
        self.key_begins()?;
        let mark = self.cursor.mark();
        let (text, ends_line) = self.plain_scalar()?;
        self.simple_key_allowed |= ends_line;
        self.push(Kind::Scalar(text, Style::Plain), mark);
        Ok(())
    }
}

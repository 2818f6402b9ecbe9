//! From tokens to events: documents, the begin and end of lists and mappings, and scalars, by libyaml's grammar.

use std::borrow::Cow;

use super::cursor::Mark;
use super::error::YamlError;
use super::scanner::{Result, Scanner};
use super::token::{Kind, Style};

#[derive(Debug)]
pub enum Event<'a> {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Alias(&'a str),
    Scalar {
        text: Cow<'a, str>,
        style: Style,
        properties: Properties<'a>,
    },
    /// A list; its tag means nothing.
    SequenceStart(Option<&'a str>),
    SequenceEnd,
    MappingStart(Option<&'a str>),
    MappingEnd,
}

/// What stands before a node.
#[derive(Debug, Default)]
pub struct Properties<'a> {
    pub anchor: Option<&'a str>,
    /// Whole: `tag:yaml.org,2002:int`.
    pub tag: Option<Cow<'a, str>>,
}

/// What is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    FirstDocument,
    Document,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirst,
    BlockSequence,
    IndentlessSequence,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequence,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingNoValue,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Block,
    /// A value of a mapping may be a list whose `-` are not indented.
    BlockOrIndentless,
    Flow,
}

#[derive(Debug)]
pub struct Events<'a> {
    pub(super) scanner: Scanner<'a>,
    pub(super) state: State,
    outer: Vec<State>,
    handles: Vec<(&'a str, Cow<'a, str>)>,
}

impl<'a> Events<'a> {
    pub fn new(text: &'a str) -> Result<Self> {
        let scanner = Scanner::new(text)?;
        Ok(Self { scanner, state: State::FirstDocument, outer: Vec::new(), handles: Vec::new() })
    }

    /// The next event, with where it begins.
    pub fn next(&mut self) -> Result<(Event<'a>, Mark)> {
        match self.state {
            State::FirstDocument | State::Document => self.document_start(),
            State::DocumentContent => match self.kind()? {
                Kind::Version(..)
                | Kind::TagDirective(..)
                | Kind::DocumentStart
                | Kind::DocumentEnd
                | Kind::StreamEnd => {
                    self.leave();
                    self.empty()
                }
                _ => self.node(Place::Block),
            },
            State::DocumentEnd => {
                let mark = self.mark()?;
                if *self.kind()? == Kind::DocumentEnd {
                    self.scanner.take()?;
                }
                self.handles.clear();
                self.state = State::Document;
                Ok((Event::DocumentEnd, mark))
            }
            State::BlockNode => self.node(Place::Block),
            State::BlockSequenceFirst => {
                self.scanner.take()?;
                self.block_sequence()
            }
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingFirst => {
                self.scanner.take()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => {
                self.scanner.take()?;
                self.flow_sequence(true)
            }
            State::FlowSequence => self.flow_sequence(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.state = State::FlowSequence;
                Ok((Event::MappingEnd, self.mark()?))
            }
            State::FlowMappingFirst => {
                self.scanner.take()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingNoValue => {
                self.state = State::FlowMappingKey;
                self.empty()
            }
            State::End => Ok((Event::StreamEnd, self.mark()?)),
        }
    }

    pub(super) fn kind(&mut self) -> Result<&Kind<'a>> {
        Ok(&self.scanner.peek()?.kind)
    }

    pub(super) fn mark(&mut self) -> Result<Mark> {
        Ok(self.scanner.peek()?.mark)
    }

    pub(super) fn error<T>(&mut self, message: &str) -> Result<T> {
        Err(YamlError::parse(self.mark()?, message))
    }

    /// Back to what is around.
    pub(super) fn leave(&mut self) {
        self.state = self.outer.pop().unwrap_or(State::End);
    }

    /// A node that is not there.
    fn empty(&mut self) -> Result<(Event<'a>, Mark)> {
        let event = Event::Scalar { text: "".into(), style: Style::Plain, properties: Properties::default() };
        Ok((event, self.mark()?))
    }

    /// A node, and what comes behind it.
    pub(super) fn node_then(&mut self, place: Place, next: State) -> Result<(Event<'a>, Mark)> {
        self.outer.push(next);
        self.node(place)
    }

    pub(super) fn empty_then(&mut self, next: State) -> Result<(Event<'a>, Mark)> {
        self.state = next;
        self.empty()
    }

    /// Goes over what ends a node: the sign behind a list or mapping, or an alias.
    pub(super) fn end(&mut self, event: Event<'a>) -> Result<(Event<'a>, Mark)> {
        self.leave();
        let mark = self.scanner.take()?.mark;
        Ok((event, mark))
    }

    fn document_start(&mut self) -> Result<(Event<'a>, Mark)> {
        let first = self.state == State::FirstDocument;
        while !first && *self.kind()? == Kind::DocumentEnd {
            self.scanner.take()?;
        }
        let mark = self.mark()?;
        let explicit =
            matches!(self.kind()?, Kind::Version(..) | Kind::TagDirective(..) | Kind::DocumentStart);
        if *self.kind()? == Kind::StreamEnd {
            self.state = State::End;
            return Ok((Event::StreamEnd, mark));
        }
        self.directives()?;
        if first && !explicit {
            self.state = State::BlockNode;
        } else {
            if *self.kind()? != Kind::DocumentStart {
                return self.error("did not find expected <document start>");
            }
            self.scanner.take()?;
            self.state = State::DocumentContent;
        }
        self.outer.push(State::DocumentEnd);
        Ok((Event::DocumentStart, mark))
    }

    fn directives(&mut self) -> Result<()> {
        let mut version = false;
        loop {
            let mark = self.mark()?;
            match self.kind()? {
                Kind::Version(..) if version => return self.error("found duplicate %YAML directive"),
                Kind::Version(1, 1) => version = true,
                Kind::Version(..) => return self.error("found incompatible YAML document"),
                Kind::TagDirective(..) => {}
                _ => break,
            }
            if let Kind::TagDirective(handle, prefix) = self.scanner.take()?.kind {
                if self.handles.iter().any(|(known, _)| *known == handle) {
                    return Err(YamlError::parse(mark, "found duplicate %TAG directive"));
                }
                self.handles.push((handle, prefix));
            }
        }
        self.handles.push(("!", "!".into()));
        self.handles.push(("!!", "tag:yaml.org,2002:".into()));
        Ok(())
    }

    fn node(&mut self, place: Place) -> Result<(Event<'a>, Mark)> {
        let mark = self.mark()?;
        if let Kind::Alias(name) = *self.kind()? {
            return self.end(Event::Alias(name));
        }
        let properties = self.properties()?;
        let anchor = properties.anchor;
        let (event, state) = match self.kind()? {
            Kind::BlockEntry if place == Place::BlockOrIndentless => {
                (Event::SequenceStart(anchor), State::IndentlessSequence)
            }
            Kind::Scalar(..) => {
                self.leave();
                let token = self.scanner.take()?;
                let Kind::Scalar(text, style) = token.kind else { return self.empty() };
                return Ok((Event::Scalar { text, style, properties }, mark));
            }
            Kind::FlowSequenceStart => (Event::SequenceStart(anchor), State::FlowSequenceFirst),
            Kind::FlowMappingStart => (Event::MappingStart(anchor), State::FlowMappingFirst),
            Kind::BlockSequenceStart if place != Place::Flow => {
                (Event::SequenceStart(anchor), State::BlockSequenceFirst)
            }
            Kind::BlockMappingStart if place != Place::Flow => {
                (Event::MappingStart(anchor), State::BlockMappingFirst)
            }
            _ if anchor.is_some() || properties.tag.is_some() => {
                self.leave();
                return Ok((Event::Scalar { text: "".into(), style: Style::Plain, properties }, mark));
            }
            _ => return self.error("did not find expected node content"),
        };
        self.state = state;
        Ok((event, mark))
    }

    /// An anchor and a tag, each once at most, in any order.
    fn properties(&mut self) -> Result<Properties<'a>> {
        let (mut anchor, mut tag) = (None, None);
        loop {
            let mark = self.mark()?;
            match self.kind()? {
                Kind::Anchor(name) if anchor.is_none() => anchor = Some(*name),
                Kind::Tag(handle, suffix) if tag.is_none() => tag = Some((*handle, suffix.clone(), mark)),
                _ => break,
            }
            self.scanner.take()?;
        }
        let tag = tag.map(|(handle, suffix, mark)| self.whole_tag(handle, suffix, mark)).transpose()?;
        Ok(Properties { anchor, tag })
    }

    fn whole_tag(&self, handle: &str, suffix: Cow<'a, str>, mark: Mark) -> Result<Cow<'a, str>> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        match self.handles.iter().find(|(known, _)| *known == handle) {
            Some((_, prefix)) => Ok(format!("{prefix}{suffix}").into()),
            None => Err(YamlError::parse(mark, "found undefined tag handle")),
        }
    }
}

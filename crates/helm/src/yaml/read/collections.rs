//! Lists and mappings, in blocks and in brackets.

use super::cursor::Mark;
use super::events::{Event, Events, Place, State};
use super::scanner::Result;
use super::token::Kind;

impl<'a> Events<'a> {
    pub(super) fn block_sequence(&mut self) -> Result<(Event<'a>, Mark)> {
        match self.kind()? {
            Kind::BlockEntry => {
                self.scanner.take()?;
                match self.kind()? {
                    Kind::BlockEntry | Kind::BlockEnd => self.empty_then(State::BlockSequence),
                    _ => self.node_then(Place::Block, State::BlockSequence),
                }
            }
            Kind::BlockEnd => self.end(Event::SequenceEnd),
            _ => self.error("did not find expected '-' indicator"),
        }
    }

    pub(super) fn indentless_sequence(&mut self) -> Result<(Event<'a>, Mark)> {
        if *self.kind()? != Kind::BlockEntry {
            self.leave();
            return Ok((Event::SequenceEnd, self.mark()?));
        }
        self.scanner.take()?;
        match self.kind()? {
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => {
                self.empty_then(State::IndentlessSequence)
            }
            _ => self.node_then(Place::Block, State::IndentlessSequence),
        }
    }

    pub(super) fn block_mapping_key(&mut self) -> Result<(Event<'a>, Mark)> {
        match self.kind()? {
            Kind::Key => {
                self.scanner.take()?;
                self.block_mapping_part(State::BlockMappingValue)
            }
            Kind::BlockEnd => self.end(Event::MappingEnd),
            _ => self.error("did not find expected key"),
        }
    }

    pub(super) fn block_mapping_value(&mut self) -> Result<(Event<'a>, Mark)> {
        if *self.kind()? != Kind::Value {
            return self.empty_then(State::BlockMappingKey);
        }
        self.scanner.take()?;
        self.block_mapping_part(State::BlockMappingKey)
    }

    fn block_mapping_part(&mut self, next: State) -> Result<(Event<'a>, Mark)> {
        match self.kind()? {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.empty_then(next),
            _ => self.node_then(Place::BlockOrIndentless, next),
        }
    }

    pub(super) fn flow_sequence(&mut self, first: bool) -> Result<(Event<'a>, Mark)> {
        self.flow_separator(first, &Kind::FlowSequenceEnd, "did not find expected ',' or ']'")?;
        match self.kind()? {
            Kind::FlowSequenceEnd => self.end(Event::SequenceEnd),
            // `[a: b]` is a list of a mapping.
            Kind::Key => {
                self.state = State::FlowPairKey;
                let mark = self.scanner.take()?.mark;
                Ok((Event::MappingStart(None), mark))
            }
            _ => self.node_then(Place::Flow, State::FlowSequence),
        }
    }

    pub(super) fn flow_pair_key(&mut self) -> Result<(Event<'a>, Mark)> {
        match self.kind()? {
            // What stands there is taken with it, as libyaml does.
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                self.scanner.take()?;
                self.empty_then(State::FlowPairValue)
            }
            _ => self.node_then(Place::Flow, State::FlowPairValue),
        }
    }

    pub(super) fn flow_pair_value(&mut self) -> Result<(Event<'a>, Mark)> {
        self.flow_value(&Kind::FlowSequenceEnd, State::FlowPairEnd)
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> Result<(Event<'a>, Mark)> {
        self.flow_separator(first, &Kind::FlowMappingEnd, "did not find expected ',' or '}'")?;
        match self.kind()? {
            Kind::FlowMappingEnd => self.end(Event::MappingEnd),
            Kind::Key => {
                self.scanner.take()?;
                match self.kind()? {
                    Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => {
                        self.empty_then(State::FlowMappingValue)
                    }
                    _ => self.node_then(Place::Flow, State::FlowMappingValue),
                }
            }
            _ => self.node_then(Place::Flow, State::FlowMappingNoValue),
        }
    }

    pub(super) fn flow_mapping_value(&mut self) -> Result<(Event<'a>, Mark)> {
        self.flow_value(&Kind::FlowMappingEnd, State::FlowMappingKey)
    }

    /// The `,` before each entry but the first.
    fn flow_separator(&mut self, first: bool, end: &Kind<'a>, missing: &str) -> Result<()> {
        if first || self.kind()? == end {
            return Ok(());
        }
        if *self.kind()? != Kind::FlowEntry {
            return self.error(missing);
        }
        self.scanner.take().map(drop)
    }

    /// What stands behind a key, if a `:` and anything does.
    fn flow_value(&mut self, end: &Kind<'a>, next: State) -> Result<(Event<'a>, Mark)> {
        if *self.kind()? == Kind::Value {
            self.scanner.take()?;
            let kind = self.kind()?;
            if *kind != Kind::FlowEntry && kind != end {
                return self.node_then(Place::Flow, next);
            }
        }
        self.empty_then(next)
    }
}

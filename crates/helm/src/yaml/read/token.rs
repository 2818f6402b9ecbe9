//! The words of YAML.

use std::borrow::Cow;

use super::cursor::Mark;

#[derive(Debug)]
pub struct Token<'a> {
    pub kind: Kind<'a>,
    pub mark: Mark,
}

#[derive(Debug, PartialEq)]
pub enum Kind<'a> {
    StreamEnd,
    /// `%YAML 1.1`
    Version(u8, u8),
    /// `%TAG !handle! prefix`
    TagDirective(&'a str, Cow<'a, str>),
    /// `---`
    DocumentStart,
    /// `...`
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    /// `- `
    BlockEntry,
    /// `,`
    FlowEntry,
    /// `? `, or before a key without it
    Key,
    /// `: `
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// Handle and suffix; an empty handle stands before a whole tag.
    Tag(&'a str, Cow<'a, str>),
    Scalar(Cow<'a, str>, Style),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// Quotes or a block: what is in it is text.
    Quoted,
}

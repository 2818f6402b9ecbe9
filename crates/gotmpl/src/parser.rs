//! Tokens -> templates, with Go's grammar, Go's lookahead and Go's words for what is wrong.

mod control;
mod pipeline;

use std::sync::Arc;

use crate::HashMap;
use crate::ast::{File, Node, Source, Template};
use crate::error::{Details, Error};
use crate::format::quote;
use crate::func::FuncMap;
use crate::lexer::{Kind, Lexer, Token};
use crate::literal::unquote;

type Result<T> = std::result::Result<T, Error>;

/// Controls and parentheses within each other; deeper is an error, since parsing recurses.
const DEEPEST: usize = 1_000;

/// Parses a text as the template `name` with all that it defines.
pub(crate) fn parse(
    name: &str,
    text: &str,
    delimiters: (&str, &str),
    functions: &FuncMap,
) -> std::result::Result<File, Error> {
    let source = Arc::new(Source { name: Arc::from(name), text: Arc::from(text) });
    let mut lexer = Lexer::new(text, delimiters.0, delimiters.1);
    lexer.break_ok = !functions.contains("break");
    lexer.continue_ok = !functions.contains("continue");
    let mut parser = Parser {
        source: Arc::clone(&source),
        functions,
        lexer,
        tokens: [Token::NONE; 3],
        peeked: 0,
        frame: Frame::new(),
        ids: [("$", 0)].into_iter().collect(),
        depth: 0,
        templates: HashMap::default(),
    };
    let body = parser.file()?;
    let root = parser.add(name, body)?;
    Ok(File { root, templates: parser.templates })
}

/// What an end of a list was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    End,
    /// With the position that an `else` list gets.
    Else,
}

/// What each template being parsed has for itself.
struct Frame<'t> {
    /// Variables in scope, by name: what the parser knows, which is less strict than execution.
    variables: Vec<&'t str>,
    /// Beginning of the action being parsed.
    action: Option<Token<'t>>,
    ranges: usize,
}

impl Frame<'_> {
    fn new() -> Self {
        Frame { variables: vec!["$"], action: None, ranges: 0 }
    }
}

struct Parser<'t> {
    source: Arc<Source>,
    functions: &'t FuncMap,
    lexer: Lexer<'t>,
    /// Three tokens of lookahead; the first is the one last read.
    tokens: [Token<'t>; 3],
    peeked: usize,
    frame: Frame<'t>,
    ids: HashMap<&'t str, u32>,
    depth: usize,
    templates: HashMap<Arc<str>, Arc<Template>>,
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Token<'t> {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.lexer.next_token();
        }
        self.tokens[self.peeked]
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    fn peek(&mut self) -> Token<'t> {
        if self.peeked == 0 {
            self.tokens[0] = self.lexer.next_token();
            self.peeked = 1;
        }
        self.tokens[self.peeked - 1]
    }

    fn next_non_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'t> {
        let token = self.next_non_space();
        self.backup();
        token
    }

    /// An error at the line of the token that was read last.
    fn error(&self, message: impl Into<String>) -> Error {
        let (message, line) = (message.into(), self.lexer.line(self.tokens[0]));
        let file = self.source.name.to_string();
        Error::new(Details {
            text: format!("template: {file}:{line}: {message}"),
            message,
            file,
            line,
            source_line: self.source.line(line).to_owned(),
            ..Details::default()
        })
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token<'t>> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(token, context)) }
    }

    fn unexpected(&self, token: Token<'t>, context: &str) -> Error {
        let shown = self.show(token);
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {shown} in {context}"));
        }
        let mut message = shown;
        let line = self.frame.action.map(|action| self.lexer.line(action));
        if let Some(line) = line.filter(|line| *line != self.lexer.line(token)) {
            // "unclosed action started at", not "unclosed action in action started at".
            message += if message.ends_with(" action") { "" } else { " in action" };
            message += &format!(" started at {}:{line}", self.source.name);
        }
        self.error(message)
    }

    fn show(&self, token: Token<'t>) -> String {
        match token.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => self.lexer.error.clone(),
            kind if kind.is_keyword() => format!("<{}>", token.text),
            _ if token.text.len() > 10 => {
                let head: String = token.text.chars().take(10).collect();
                format!("{}...", quote(&head))
            }
            _ => quote(token.text),
        }
    }

    /// The number of a variable's name, the same for the same name in the whole file.
    fn id(&mut self, name: &'t str) -> u32 {
        let next = self.ids.len() as u32;
        *self.ids.entry(name).or_insert(next)
    }

    /// Adds a template. One that says nothing never replaces one that does; two that do are an error.
    fn add(&mut self, name: &str, body: Vec<Node>) -> Result<Arc<Template>> {
        let empty = is_empty(&body, &self.source.text);
        let name: Arc<str> = Arc::from(name);
        let template = Arc::new(Template {
            name: Arc::clone(&name),
            source: Arc::clone(&self.source),
            body: body.into(),
            empty,
        });
        match self.templates.get(&name) {
            Some(existing) if !existing.empty => {
                if !empty {
                    return Err(
                        self.error(format!("template: multiple definition of template {}", quote(&name)))
                    );
                }
            }
            _ => {
                self.templates.insert(name, Arc::clone(&template));
            }
        }
        Ok(template)
    }

    /// The whole text, the only place where `define` may stand.
    fn file(&mut self) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            match self.peek().kind {
                Kind::Eof => return Ok(nodes),
                Kind::LeftDelim => {
                    let delim = self.next();
                    if self.next_non_space().kind == Kind::Define {
                        self.definition()?;
                        continue;
                    }
                    self.tokens[1] = delim;
                    self.peeked = 2;
                }
                _ => {}
            }
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                Item::End(End::End) => return Err(self.error("unexpected {{end}}")),
                Item::End(End::Else) => return Err(self.error("unexpected {{else}}")),
            }
        }
    }

    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::replace(&mut self.frame, Frame::new());
        let token = self.next_non_space();
        let name = self.template_name(token, CONTEXT)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        let (body, end) = self.list()?;
        if end == End::Else {
            return Err(self.error(format!("unexpected {{{{else}}}} in {CONTEXT}")));
        }
        self.add(&name, body)?;
        self.frame = outer;
        Ok(())
    }

    fn template_name(&mut self, token: Token<'t>, context: &str) -> Result<String> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(token, context));
        }
        let name = unquote(token.text).ok_or_else(|| self.error("invalid syntax"))?;
        Ok(name.to_string())
    }

    /// Texts and actions up to an `end` or `else`.
    fn list(&mut self) -> Result<(Vec<Node>, End)> {
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                Item::End(end) => return Ok((nodes, end)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text { start: token.pos, end: token.pos + token.text.len() })),
            Kind::LeftDelim => {
                self.frame.action = Some(token);
                let item = self.action()?;
                self.frame.action = None;
                Ok(item)
            }
            _ => Err(self.unexpected(token, "input")),
        }
    }
}

enum Item {
    Node(Node),
    End(End),
}

fn is_empty(nodes: &[Node], text: &str) -> bool {
    nodes.iter().all(|node| match node {
        Node::Text { start, end } => text[*start..*end].trim().is_empty(),
        _ => false,
    })
}

//! Go's `text/template` in Rust: lexer, parser, executor and Go's value model. Knows nothing of Helm.
//!
//! ```
//! use gotmpl::{FuncMap, Renderer, Templates, Value};
//!
//! let mut templates = Templates::new(FuncMap::new());
//! templates.parse("greeting", "Hello {{ .name | printf \"%q\" }}!")?;
//! let data = Value::map([("name", "world")]);
//! assert_eq!(Renderer::new(&templates).render("greeting", &data)?, "Hello \"world\"!");
//! # Ok::<(), gotmpl::Error>(())
//! ```

mod ast;
mod builtins;
mod error;
mod exec;
mod format;
mod func;
mod lexer;
mod literal;
mod parser;
mod stack;
mod template;
mod unicode;
mod value;

/// With a quick hash, since each call of a template asks for its name.
type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::quality::RandomState>;

pub use error::{Details, Error, Frame};
pub use exec::{Context, Renderer};
pub use format::{quote, sprint, sprintf, sprintln};
pub use func::{Body, FuncError, FuncMap, Function, Signature, Type};
pub use template::{Limits, MissingKey, Options, Parsed, Templates};
pub use value::{Entries, Kind, List, ListType, Map, MapType, Object, Str, Value};

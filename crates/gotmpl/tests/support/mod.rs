//! What the tests share: the functions and data that the oracle knows too, and the oracle itself.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part")]

pub mod compare;

use std::any::Any;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use gotmpl::{
    Context, Error, FuncError, FuncMap, Kind, List, ListType, Map, MapType, MissingKey, Object, Options,
    Renderer, Signature, Str, Templates, Type, Value,
};
use serde_json::{Value as Json, json};

/// One template with its data.
#[derive(Clone, Debug)]
pub struct Row {
    pub place: String,
    pub template: String,
    pub data: Json,
    pub missing: String,
    pub delimiters: (String, String),
    /// Only the parse trees are asked for.
    pub parse: bool,
}

impl Row {
    pub fn new(place: impl Into<String>, template: impl Into<String>, data: Json) -> Self {
        let (place, template) = (place.into(), template.into());
        let delimiters = (String::new(), String::new());
        Row { place, template, data, missing: String::new(), delimiters, parse: false }
    }

    /// Settings from a header: `data:`, `missing:` and `delimiters:` lines.
    pub fn set(&mut self, header: &str) {
        for line in header.lines() {
            let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("{}: {line}", self.place));
            match key {
                "data" => {
                    self.data = serde_json::from_str(value).unwrap_or_else(|e| panic!("{}: {e}", self.place));
                }
                "missing" => value.trim().clone_into(&mut self.missing),
                "delimiters" => {
                    let (left, right) = value.trim().split_once(' ').unwrap();
                    self.delimiters = (left.to_owned(), right.to_owned());
                }
                other => panic!("{}: unknown setting {other}", self.place),
            }
        }
    }

    /// The output, or the parse trees if those are asked for.
    pub fn render(&self) -> Result<Str, Error> {
        let missing_key = match self.missing.as_str() {
            "zero" => MissingKey::Zero,
            "error" => MissingKey::Error,
            _ => MissingKey::Default,
        };
        let options = Options {
            missing_key,
            delimiters: self.delimiters.clone(),
            set_name: "set".to_owned(),
            ..Options::default()
        };
        if self.parse {
            let templates = Templates::new(words(&self.template)).with_options(options);
            return templates.compile("t", &self.template).map(|parsed| Str::from(parsed.to_string()));
        }
        let mut templates = Templates::new(functions()).with_options(options);
        templates.parse("t", &self.template)?;
        Renderer::new(&templates).render("t", &revive(&self.data))
    }
}

/// JSON as Go decodes it; an object with one key that begins with `$` is a type that JSON lacks.
pub fn revive(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Float64(number.as_f64().unwrap()),
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::list(items.iter().map(revive)),
        Json::Object(entries) => match entries.iter().next() {
            Some((key, inner)) if entries.len() == 1 && key.starts_with('$') => typed(key, inner),
            _ => Value::map(entries.iter().map(|(key, value)| (key, revive(value)))),
        },
    }
}

fn typed(kind: &str, inner: &Json) -> Value {
    let number = || inner.as_f64().unwrap();
    let text = || inner.as_str().unwrap();
    match kind {
        "$int" => Value::Int(number() as i64),
        "$int64" => Value::Int64(number() as i64),
        "$uint8" => Value::Uint8(number() as u8),
        "$uint64" => Value::Uint64(number() as u64),
        "$bytes" => Value::bytes(text().as_bytes()),
        "$raw" => Value::string(unbase64(text())),
        "$strings" => Value::strings(inner.as_array().unwrap().iter().map(|item| item.as_str().unwrap())),
        "$ints" => {
            let items =
                inner.as_array().unwrap().iter().map(|item| Value::Int(item.as_f64().unwrap() as i64));
            Value::List(List::of(ListType::Int, items.collect()))
        }
        "$stringmap" => {
            let map = Map::of(MapType::String);
            for (key, item) in inner.as_object().unwrap() {
                map.insert(key, item.as_str().unwrap());
            }
            Value::Map(map)
        }
        "$nilmap" => Value::Map(Map::nil(MapType::Any)),
        "$nillist" => Value::List(List::nil(ListType::Any)),
        "$version" => Value::object(Version { label: text().to_owned() }),
        other => panic!("unknown type {other}"),
    }
}

/// An object with fields and methods, the same as the oracle's.
#[derive(Debug)]
struct Version {
    label: String,
}

impl Object for Version {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("*main.version")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![
            (Cow::Borrowed("Major"), Value::Int64(4)),
            (Cow::Borrowed("Label"), Value::from(self.label.as_str())),
        ]
    }

    fn method(&self, name: &str) -> Option<Signature> {
        Some(match name {
            "Has" => Signature::fixed(&[Type::String]),
            "Join" => Signature::variadic(&[], Type::String),
            "Plus" => Signature::fixed(&[Type::Int, Type::Int]),
            "Fails" | "Self" | "Table" => Signature::fixed(&[]),
            "Takes" => Signature::fixed(&[Type::Map]),
            _ => return None,
        })
    }

    fn call(&self, name: &str, _context: &mut Context<'_>, args: &[Value]) -> Result<Value, FuncError> {
        Ok(match name {
            "Has" => Value::Bool(self.label.contains(args[0].as_str().unwrap())),
            "Join" => {
                let parts: Vec<_> = args.iter().map(|arg| arg.as_str().unwrap()).collect();
                Value::from(parts.join(&self.label))
            }
            "Plus" => Value::Int(args[0].as_int().unwrap() + args[1].as_int().unwrap()),
            "Fails" => return Err("it fails".into()),
            "Self" => Value::object(Version { label: self.label.clone() }),
            "Takes" => Value::Int(args[0].as_map().unwrap().len() as i64),
            _ => Value::map([("a", "b")]),
        })
    }
}

/// Every word as a function, but for those that would cease to be keywords.
fn words(text: &str) -> FuncMap {
    let mut map = FuncMap::new();
    for word in text.split(|rune: char| !rune.is_alphanumeric() && rune != '_') {
        if !word.is_empty() && !["break", "continue"].contains(&word) {
            map.add(word, Signature::ANY, |_, _| Ok(Value::Nil));
        }
    }
    map
}

fn functions() -> FuncMap {
    let mut map = FuncMap::new();
    let fixed = Signature::fixed;
    map.add("upper", fixed(&[Type::String]), |_, args| {
        Ok(Value::from(args[0].as_string().unwrap().to_str().to_uppercase()))
    });
    map.add("list", Signature::ANY, |_, args| Ok(Value::from(args.to_vec())));
    map.add("typeOf", fixed(&[Type::Any]), |_, args| Ok(Value::from(args[0].type_name())));
    map.add("dict", Signature::ANY, |_, args| {
        Ok(Value::map(args.chunks_exact(2).map(|pair| (pair[0].to_string(), pair[1].clone()))))
    });
    map.add("set", fixed(&[Type::Map, Type::String, Type::Any]), |_, args| {
        let map = args[0].as_map().unwrap();
        if map.is_nil() {
            return Err("assignment to entry in nil map".into());
        }
        map.insert(args[1].as_string().unwrap().clone(), args[2].clone());
        Ok(args[0].clone())
    });
    map.add("until", fixed(&[Type::Int]), |_, args| {
        Ok(Value::List(List::of(ListType::Int, (0..args[0].as_int().unwrap()).map(Value::Int).collect())))
    });
    map.add("add", fixed(&[Type::Int, Type::Int]), |_, args| {
        Ok(Value::Int(args[0].as_int().unwrap() + args[1].as_int().unwrap()))
    });
    map.add("wide", fixed(&[Type::Int64]), |_, args| Ok(args[0].clone()));
    map.add("unsigned", fixed(&[Type::Uint64]), |_, args| Ok(args[0].clone()));
    map.add("float", fixed(&[Type::Float64]), |_, args| Ok(args[0].clone()));
    map.add("flag", fixed(&[Type::Bool]), |_, args| Ok(args[0].clone()));
    map.add("words", fixed(&[Type::StringList]), |_, args| {
        Ok(Value::Int(args[0].as_list().unwrap().len() as i64))
    });
    map.add("items", fixed(&[Type::List]), |_, args| Ok(Value::Int(args[0].as_list().unwrap().len() as i64)));
    map.add("table", fixed(&[Type::Map]), |_, args| Ok(Value::Bool(args[0].is_nil())));
    map.add("nothing", fixed(&[]), |_, _| Ok(Value::Nil));
    map.add("fail", fixed(&[Type::String]), |_, args| Err(args[0].to_string().into()));
    map.add("include", fixed(&[Type::String, Type::Any]), |context, args| {
        Ok(Value::String(context.execute_template(args[0].as_str().unwrap(), &args[1])?))
    });
    map
}

/// What Go says of rows, in their order; `None` where there is no Go toolchain.
pub fn ask_go(rows: &[Row]) -> Option<Vec<Result<Vec<u8>, String>>> {
    let program = oracle()?;
    let mut child =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start the oracle");
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = String::new();
    for row in rows {
        let request = json!({
            "template": row.template, "data": row.data, "missing": row.missing,
            "left": row.delimiters.0, "right": row.delimiters.1, "parse": row.parse,
        });
        lines += &format!("{request}\n");
    }
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("read the oracle");
    writer.join().unwrap().expect("write to the oracle");
    let answers: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let answer: Json = serde_json::from_str(line).unwrap();
            match answer.get("error").and_then(Json::as_str) {
                Some(error) => Err(error.to_owned()),
                None => Ok(unbase64(answer["output"].as_str().unwrap())),
            }
        })
        .collect();
    assert_eq!(answers.len(), rows.len(), "one answer a row");
    Some(answers)
}

/// The oracle's program, built when its source has changed; `None` where there is no `go`.
fn oracle() -> Option<&'static Path> {
    static ORACLE: OnceLock<Option<PathBuf>> = OnceLock::new();
    ORACLE.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let mut hasher = DefaultHasher::new();
    for file in ["go.mod", "main.go"] {
        std::fs::read(source.join(file)).unwrap().hash(&mut hasher);
    }
    let version = Command::new("go").arg("version").output().ok()?;
    version.stdout.hash(&mut hasher);
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oracle-{:x}", hasher.finish()));
    if !program.exists() {
        // Another process may build the same; each gets there by a name of its own.
        let unfinished = program.with_extension(std::process::id().to_string());
        let built =
            Command::new("go").args(["build", "-o"]).arg(&unfinished).arg(".").current_dir(source).status();
        assert!(built.is_ok_and(|status| status.success()), "the oracle does not build");
        std::fs::rename(unfinished, &program).unwrap();
    }
    Some(program)
}

fn unbase64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|&byte| byte != b'=') {
        bits = bits << 6 | ALPHABET.iter().position(|&known| known == byte).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// Fixtures: a header, a line of dashes, a template. Sorted by name.
pub fn fixtures() -> Vec<(String, Row)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "tmpl"));
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let (header, template) = text.split_once("---\n").unwrap();
            let mut row = Row::new(&name, template, Json::Null);
            row.set(header);
            (name, row)
        })
        .collect()
}

/// Files of rows: a header, a line of dashes, then one template a line (`⏎` for a line break).
pub fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rows");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut rows = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let (header, lines) = text.split_once("---\n").unwrap();
        let first = header.lines().count() + 2;
        for (index, line) in lines.lines().enumerate() {
            if line.is_empty() || line.starts_with("# ") {
                continue;
            }
            let mut row = Row::new(format!("{name}:{}", index + first), line.replace('⏎', "\n"), Json::Null);
            row.set(header);
            rows.push(row);
        }
    }
    rows
}

/// Templates of whatever charts lie in `tests/corpus` (not committed; a link to a folder of charts will do).
pub fn corpus() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().into_iter().flatten() {
            let path = entry.unwrap().path();
            let in_templates = path.components().any(|part| part.as_os_str() == "templates");
            if path.is_dir() {
                folders.push(path);
            } else if in_templates && let Ok(text) = std::fs::read_to_string(&path) {
                rows.push(Row::new(path.display().to_string(), text, Json::Null));
            }
        }
    }
    rows
}

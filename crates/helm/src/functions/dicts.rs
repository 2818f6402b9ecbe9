//! Functions on maps. `set` and `unset` change the map in place, for everyone who shares it.

use gotmpl::{FuncError, FuncMap, Map, MapType, Signature, Type, Value};

use super::merge::merge_into;
use super::{Outcome, arg, bytes_arg, few_parts, strval};

const MAPS: Signature = Signature::variadic(&[Type::Map], Type::Map);

pub fn add(f: &mut FuncMap) {
    f.add("dict", Signature::ANY, |_, a| {
        let map = Map::new();
        for pair in a.chunks(2) {
            let value = pair.get(1).cloned().unwrap_or_else(|| Value::from(""));
            map.insert(strval(&pair[0]), value);
        }
        Ok(Value::Map(map))
    });
    f.add("get", Signature::fixed(&[Type::Map, Type::String]), |_, a| {
        Ok(map_arg(a, 0).get(bytes_arg(a, 1).as_bytes()).unwrap_or_else(|| Value::from("")))
    });
    f.add("set", Signature::fixed(&[Type::Map, Type::String, Type::Any]), |_, a| {
        let map = map_arg(a, 0);
        if map.is_nil() {
            return Err(FuncError::new("assignment to entry in nil map"));
        }
        map.insert(bytes_arg(a, 1), arg(a, 2));
        Ok(arg(a, 0))
    });
    f.add("unset", Signature::fixed(&[Type::Map, Type::String]), |_, a| {
        map_arg(a, 0).remove(bytes_arg(a, 1).as_bytes());
        Ok(arg(a, 0))
    });
    f.add("hasKey", Signature::fixed(&[Type::Map, Type::String]), |_, a| {
        Ok(Value::Bool(map_arg(a, 0).contains(bytes_arg(a, 1).as_bytes())))
    });
    f.add("pluck", Signature::variadic(&[Type::String], Type::Map), |_, a| {
        let key = bytes_arg(a, 0);
        let found = a[1..].iter().filter_map(|map| map.as_map()?.get(key.as_bytes()));
        Ok(Value::from(found.collect::<Vec<_>>()))
    });
    f.add("keys", Signature::variadic(&[], Type::Map), |_, a| {
        // Go's order is random; a steady one is as good, and better.
        Ok(Value::strings(a.iter().filter_map(Value::as_map).flat_map(Map::keys)))
    });
    f.add("values", Signature::fixed(&[Type::Map]), |_, a| {
        Ok(Value::from(map_arg(a, 0).entries().into_iter().map(|(_, value)| value).collect::<Vec<_>>()))
    });
    f.add("pick", Signature::variadic(&[Type::Map], Type::String), |_, a| {
        let (map, picked) = (map_arg(a, 0), Map::new());
        for at in 1..a.len() {
            let key = bytes_arg(a, at);
            if let Some(value) = map.get(key.as_bytes()) {
                picked.insert(key, value);
            }
        }
        Ok(Value::Map(picked))
    });
    f.add("omit", Signature::variadic(&[Type::Map], Type::String), |_, a| {
        let rest = Map::new();
        for (key, value) in map_arg(a, 0).entries() {
            if !a[1..].iter().any(|out| out.as_string() == Some(&key)) {
                rest.insert(key, value);
            }
        }
        Ok(Value::Map(rest))
    });
    for (name, overwrite) in
        [("merge", false), ("mustMerge", false), ("mergeOverwrite", true), ("mustMergeOverwrite", true)]
    {
        f.add(name, MAPS, move |_, a| {
            let mut dest = map_arg(a, 0);
            for source in a[1..].iter().filter_map(Value::as_map) {
                if dest.is_nil() && !source.is_nil() {
                    dest = Map::new();
                }
                merge_into(&dest, source, overwrite)?;
            }
            Ok(Value::Map(dest))
        });
    }
    for name in ["deepCopy", "mustDeepCopy"] {
        f.add(name, Signature::fixed(&[Type::Any]), |_, a| match arg(a, 0) {
            Value::Nil => Err(FuncError::new("reflect: call of reflect.Value.Type on zero Value")),
            value => {
                few_parts(&value)?;
                Ok(value.deep_copy())
            }
        });
    }
    f.add("dig", Signature::ANY, |_, a| dig(a));
}

fn map_arg(args: &[Value], at: usize) -> Map {
    args.get(at).and_then(Value::as_map).cloned().unwrap_or_else(|| Map::nil(MapType::Any))
}

fn dig(args: &[Value]) -> Outcome {
    if args.len() < 3 {
        return Err(FuncError::new("dig needs at least three arguments"));
    }
    let (keys, rest) = args.split_at(args.len() - 2);
    let not_a = |value: &Value, what: &str| {
        let found = if matches!(value, Value::Nil) { "nil".into() } else { value.type_name() };
        FuncError::new(format!("interface conversion: interface {{}} is {found}, not {what}"))
    };
    let mut at = rest[1].clone();
    for key in keys {
        let map = match &at {
            Value::Map(map) => map.clone(),
            other => return Err(not_a(other, "map[string]interface {}")),
        };
        let Value::String(key) = key else { return Err(not_a(key, "string")) };
        match map.get(key.as_bytes()) {
            Some(value) => at = value,
            None => return Ok(rest[0].clone()),
        }
    }
    Ok(at)
}

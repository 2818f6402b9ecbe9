//! What would not end, or not fit, is an error: never a crash.

#![allow(clippy::unwrap_used)]

use gotmpl::{FuncMap, Limits, Options, Renderer, Signature, Templates, Type, Value};

fn functions() -> FuncMap {
    let mut functions = FuncMap::new();
    functions.add("include", Signature::fixed(&[Type::String, Type::Any]), |context, args| {
        Ok(Value::String(context.execute_template(args[0].as_str().unwrap(), &args[1])?))
    });
    functions.add("tpl", Signature::fixed(&[Type::String, Type::Any]), |context, args| {
        Ok(Value::String(context.parse_and_execute("tpl", args[0].as_str().unwrap(), &args[1])?))
    });
    functions.add("wrap", Signature::fixed(&[Type::Any]), |_, args| Ok(Value::list([args[0].clone()])));
    functions.add("set", Signature::fixed(&[Type::Map, Type::String, Type::Any]), |_, args| {
        args[0].as_map().unwrap().insert(args[1].as_string().unwrap().clone(), args[2].clone());
        Ok(args[0].clone())
    });
    functions
}

fn render(text: &str, limits: Limits) -> Result<String, String> {
    let options = Options { limits, set_name: "gotpl".to_owned(), ..Options::default() };
    let mut templates = Templates::new(functions()).with_options(options);
    templates.parse("t", text).map_err(|error| error.to_string())?;
    let data = Value::map([("m", Value::map([("a", 1)])), ("text", Value::from("x"))]);
    Renderer::new(&templates)
        .render("t", &data)
        .map(|text| text.to_string())
        .map_err(|error| error.root().text.clone())
}

#[test]
fn templates_that_call_themselves_end_at_the_depth_limit() {
    let error =
        render(r#"{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#, Limits::default());
    assert_eq!(
        error.unwrap_err(),
        r#"template: t:1:28: executing "a" at <{{template "a" .}}>: exceeded maximum template depth (10000)"#
    );
    let error = render(
        r#"{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}"#,
        Limits { depth: 1000, ..Limits::default() },
    );
    assert!(error.unwrap_err().contains("exceeded maximum template depth (1000)"));
}

#[test]
fn output_and_steps_are_bounded() {
    let limits = Limits { output: 1000, ..Limits::default() };
    let error = render("{{ range 1000 }}0123456789{{ end }}", limits).unwrap_err();
    assert!(error.contains("exceeded maximum output size (1000 bytes)"), "{error}");
    let limits = Limits { steps: 1000, ..Limits::default() };
    let error = render("{{ range 100000000000 }}{{ if false }}{{ end }}{{ end }}", limits).unwrap_err();
    assert!(error.contains("exceeded maximum number of steps (1000)"), "{error}");
}

#[test]
fn deep_sources_are_refused_or_parsed_but_do_not_overflow() {
    for depth in [500, 100_000] {
        let parens = format!("{{{{ {}1{} }}}}", "(".repeat(depth), ")".repeat(depth));
        let result = render(&parens, Limits::default());
        match depth {
            500 => assert_eq!(result.unwrap(), "1"),
            _ => assert_eq!(result.unwrap_err(), "template: t:1: max expression depth exceeded"),
        }
        let ifs = "{{ if true }}".repeat(depth) + &"{{ end }}".repeat(depth);
        assert_eq!(render(&ifs, Limits::default()).is_ok(), depth == 500);
    }
}

#[test]
fn a_map_within_itself_prints_without_end_nor_crash() {
    let text = render(r#"{{ $_ := set .m "self" .m }}{{ .m }}"#, Limits::default()).unwrap();
    assert_eq!(text, "map[a:1 self:<cycle>]");
}

#[test]
fn deeply_nested_values_are_dropped_without_recursion() {
    let text = r"{{ $x := 1 }}{{ range 300000 }}{{ $x = wrap $x }}{{ end }}done";
    assert_eq!(render(text, Limits::default()).unwrap(), "done");
}

#[test]
fn tpl_sees_the_set_and_keeps_its_own_definitions_to_itself() {
    let text = r#"{{ define "outer" }}[{{ . }}]{{ end -}}
        {{ tpl "{{ define \"inner\" }}<{{ . }}>{{ end }}{{ template \"outer\" .text }}{{ include \"inner\" .text }}" . }}"#;
    assert_eq!(render(text, Limits::default()).unwrap(), "[x]<x>");
    let text = r#"{{ tpl "{{ define \"inner\" }}{{ end }}" . }}{{ include "inner" . }}"#;
    let error = render(text, Limits::default()).unwrap_err();
    assert_eq!(error, r#"template: no template "inner" associated with template "gotpl""#);
}

#[test]
fn parsed_templates_cross_threads() {
    let mut templates = Templates::new(functions());
    templates.parse("t", "{{ .x }}").unwrap();
    let results: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|n| {
                let templates = &templates;
                scope.spawn(move || {
                    let data = Value::map([("x", n)]);
                    Renderer::new(templates).render("t", &data).unwrap().to_string()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results, ["0", "1"]);
}

#[test]
fn functions_find_the_state_of_the_renderer() {
    let mut functions = FuncMap::new();
    functions.add("count", Signature::fixed(&[]), |context, _| {
        let count = context.state_as::<std::cell::Cell<i64>>().unwrap();
        count.set(count.get() + 1);
        Ok(Value::Int(count.get()))
    });
    let mut templates = Templates::new(functions);
    templates.parse("t", "{{ count }}{{ count }}").unwrap();
    let count = std::cell::Cell::new(5_i64);
    assert_eq!(Renderer::with_state(&templates, &count).render("t", &Value::Nil).unwrap(), "67");
    assert_eq!(count.get(), 7);
}

//! What each chart's templates see: `.Values`, `.Chart`, `.Release`, `.Files`, `.Subcharts`.

use std::borrow::Cow;
use std::rc::Rc;

use gotmpl::{Map, MapType, Str, Value};

use crate::chart::File;
use crate::files::Files;
use crate::values::Node;

/// What the root chart gets.
pub struct Top {
    pub release: Map,
    pub capabilities: Value,
    pub values: Map,
}

/// A template with its scope.
pub struct Source<'c> {
    /// `chart/templates/x.yaml`
    pub name: String,
    pub chart: Rc<str>,
    pub file: &'c File,
    pub base_path: Str,
    pub scope: Map,
    /// Folders that its name leads through.
    depth: usize,
}

impl Source<'_> {
    /// Partials are only there for their definitions.
    pub fn is_partial(&self) -> bool {
        let name = self.name.bytes().rposition(|byte| byte == b'/').map_or(0, |slash| slash + 1);
        self.name.as_bytes().get(name) == Some(&b'_')
    }
}

/// All templates of the chart and its subcharts, in the order in which they are parsed and executed:
/// deepest path first, then by name backwards.
pub fn collect<'c>(root: &Node<'c>, top: &Top) -> Vec<Source<'c>> {
    let mut sources = Vec::new();
    collect_chart(root, root.name(), top, top.values.clone(), true, &mut sources);
    sources.sort_by(|a, b| b.depth.cmp(&a.depth).then_with(|| b.name.cmp(&a.name)));
    // Of two subcharts of one name the later one's files count.
    sources.dedup_by(|later, earlier| later.name == earlier.name);
    sources
}

fn collect_chart<'c>(
    node: &Node<'c>,
    path: &str,
    top: &Top,
    values: Map,
    is_root: bool,
    sources: &mut Vec<Source<'c>>,
) -> Map {
    let chart = node.metadata.to_value();
    chart.insert("IsRoot", is_root);
    let subcharts = Map::new();
    let scope = Map::new();
    scope.insert("Chart", chart);
    scope.insert("Files", Value::object(Files::new(&node.chart.files)));
    scope.insert("Release", top.release.clone());
    scope.insert("Capabilities", top.capabilities.clone());
    scope.insert("Values", values.clone());
    scope.insert("Subcharts", subcharts.clone());
    for subchart in &node.dependencies {
        let below = match values.get(subchart.name()) {
            Some(Value::Map(below)) => below,
            _ => Map::of(MapType::Named("common.Values")),
        };
        let below_path = format!("{path}/charts/{}", subchart.name());
        let below_scope = collect_chart(subchart, &below_path, top, below, false, sources);
        subcharts.insert(subchart.name(), below_scope);
    }
    let is_library = node.chart.is_library();
    // One map for all templates of the chart: what one of them sets in `$`, those after it see. By another name it is
    // what the parent chart has in `.Subcharts`, as a plain map.
    let shared = scope.retyped(MapType::Named("common.Values"));
    let (chart, base_path) = (Rc::from(node.name()), Str::from(format!("{path}/templates")));
    for template in &node.chart.templates {
        let mut name = format!("{path}/{}", template.name);
        if let Cow::Owned(clean) = crate::functions::path_clean(&name) {
            name = clean;
        }
        let source = Source {
            depth: name.bytes().filter(|byte| *byte == b'/').count(),
            name,
            chart: Rc::clone(&chart),
            file: template,
            base_path: base_path.clone(),
            scope: shared.clone(),
        };
        if !is_library || source.is_partial() {
            sources.push(source);
        }
    }
    scope
}

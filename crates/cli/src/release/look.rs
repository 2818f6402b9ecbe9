//! The verbs that look at releases.

use landfall_display::Table;
use landfall_helm::release::Record;
use landfall_release::Options;
use serde_json::{Map, Value, json};

use super::actions;
use super::flags::Home;
use super::show::{head, hooks, notes, standing, updated};
use crate::Session;
use crate::args::Output;
use crate::exit::Result;
use crate::target;
use crate::terminal::{data, give, give_as_is};

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    home: Home,
    /// Those of every namespace
    #[arg(long, short = 'A')]
    all_namespaces: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct One {
    name: String,
    #[command(flatten)]
    home: Home,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Revision {
    #[command(flatten)]
    one: One,
    /// The newest, where it is not given
    #[arg(long, value_name = "REVISION")]
    revision: Option<i64>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Get {
    /// The values that were given
    Values {
        #[command(flatten)]
        of: Revision,
        /// With those of the chart
        #[arg(long, short)]
        all: bool,
    },
    /// The objects
    Manifest(Revision),
    /// The hooks
    Hooks(Revision),
    /// The chart's words for people
    Notes(Revision),
    /// All of it
    All(Revision),
}

pub(super) async fn list(session: &Session, args: List) -> Result {
    let target = target::connect(session).await?;
    let home = (!args.all_namespaces).then_some(args.home.namespace.as_str());
    let found = landfall_release::list(&*target.cluster, home).await?;
    let rows: Vec<Value> = found
        .iter()
        .map(|stored| {
            let record = &stored.record;
            json!({"name": record.name, "namespace": record.namespace, "revision": record.version.to_string(),
                "updated": updated(record), "status": record.info.status.to_string(),
                "chart": record.chart_label(), "app_version": app_version(record)})
        })
        .collect();
    shown(session, &rows, &["name", "namespace", "revision", "updated", "status", "chart", "app_version"])
}

pub(super) async fn history(session: &Session, args: One) -> Result {
    let actions = actions(session, &args.home, Options::default()).await?;
    // One that is not there is told.
    actions.get(&args.name, None).await?;
    let found = actions.history(&args.name).await?;
    let rows: Vec<Value> = found
        .iter()
        .map(|stored| {
            let record = &stored.record;
            json!({"revision": record.version, "updated": updated(record),
                "status": record.info.status.to_string(), "chart": record.chart_label(),
                "app_version": app_version(record), "description": record.info.description})
        })
        .collect();
    shown(session, &rows, &["revision", "updated", "status", "chart", "app_version", "description"])
}

pub(super) async fn status(session: &Session, args: Revision) -> Result {
    let record = found(session, &args).await?;
    if session.global.output != Output::Table {
        return data(session.global.output, &standing(&record));
    }
    give(&head(&record));
    give(&notes(&record));
    Ok(())
}

pub(super) async fn get(session: &Session, verb: Get) -> Result {
    match verb {
        Get::Values { of, all } => {
            let record = found(session, &of).await?;
            let values = if all { landfall_release::computed(&record) } else { record.config };
            if session.global.output == Output::Json {
                return data(Output::Json, &values);
            }
            give_as_is(&text(&values));
            Ok(())
        }
        Get::Manifest(of) => {
            give_as_is(&found(session, &of).await?.manifest);
            Ok(())
        }
        Get::Hooks(of) => {
            give_as_is(&hooks(&found(session, &of).await?));
            Ok(())
        }
        Get::Notes(of) => {
            give_as_is(&notes(&found(session, &of).await?));
            Ok(())
        }
        Get::All(of) => {
            let record = found(session, &of).await?;
            give(&head(&record));
            give_as_is(&format!("USER-SUPPLIED VALUES:\n{}\n", text(&record.config)));
            give_as_is(&format!("COMPUTED VALUES:\n{}\n", text(&landfall_release::computed(&record))));
            give_as_is(&format!("HOOKS:\n{}MANIFEST:\n{}\n", hooks(&record), record.manifest));
            give_as_is(&notes(&record));
            Ok(())
        }
    }
}

async fn found(session: &Session, args: &Revision) -> Result<Record> {
    let actions = actions(session, &args.one.home, Options::default()).await?;
    Ok(actions.get(&args.one.name, args.revision).await?.record)
}

/// YAML as Helm writes it.
fn text(values: &Map<String, Value>) -> String {
    format!("{}\n", landfall_helm::yaml::write_trimmed(&Value::Object(values.clone())))
}

fn app_version(record: &Record) -> String {
    record.chart["metadata"]["appVersion"].as_str().unwrap_or_default().to_owned()
}

/// Rows as data, or as a table under their names.
fn shown(session: &Session, rows: &[Value], columns: &[&str]) -> Result {
    if session.global.output != Output::Table {
        return data(session.global.output, &rows);
    }
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let head = columns.iter().map(|name| name.to_uppercase().replace('_', " ")).collect();
    let lines = rows.iter().map(|row| columns.iter().map(|name| cell(&row[*name])).collect()).collect();
    give(&Table::of(head, lines).columns());
    Ok(())
}

//! `cargo run -p landfall-helm --example record -- NAME CHART`: the release Secret of a first, deployed
//! revision, for comparison with what real Helm reads.
#![allow(clippy::print_stdout)]

use jiff::Timestamp;
use landfall_helm::release::{Record, Status, secret};
use landfall_helm::{Chart, HelmError, Options, Values, render};

fn main() -> Result<(), HelmError> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, path] = args.as_slice() else {
        return Err(HelmError::Values("usage: record NAME CHART".to_owned()));
    };
    let chart = Chart::load(path)?;
    let values = Values::new();
    let rendered = render(&chart, &values, &Options::new(name, "ns"))?;
    let now = Timestamp::now();
    let mut record = Record::new(name, "ns", 1, &chart, &values, &rendered, now);
    record.set_status(Status::Deployed, "Install complete");
    println!("{}", secret(&record, Some(now.as_second()), None)?);
    Ok(())
}

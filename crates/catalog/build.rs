//! A chart that is added or removed is embedded anew; `include_dir` alone sees only files it knows.

#![allow(clippy::print_stdout)]

fn main() {
    let charts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts");
    // Cargo looks at a folder's files at any depth.
    println!("cargo::rerun-if-changed={charts}");
}

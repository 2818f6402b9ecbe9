//! Builds images without the rest of landfall, for those who write recipes:
//! `cargo run -p landfall-image --example images -- build|check|list|bundle|export [NAME…]`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::time::Instant;

use landfall_image::{Progress, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().unwrap_or_else(|| "list".to_owned());
    let names: Vec<String> = arguments.collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/landfall");
    let cache = std::env::var_os("LANDFALL_CACHE").map_or_else(home, PathBuf::from);
    let store = Store::open(&cache)?.with_mirror(std::env::var("LANDFALL_MIRROR").ok());
    let begin = Instant::now();
    let mut progress = |p: Progress| match p {
        Progress::Stage { item, stage, detail } if detail.is_empty() => {
            eprintln!("{:7.1} {item}: {stage}", begin.elapsed().as_secs_f32());
        }
        Progress::Stage { .. } => {}
        Progress::Finished { item, took, bytes } => {
            eprintln!(
                "{:7.1} {item}: done in {took:.1?}, {} KiB",
                begin.elapsed().as_secs_f32(),
                bytes / 1024
            );
        }
        other => eprintln!("{:7.1} {other:?}", begin.elapsed().as_secs_f32()),
    };
    match verb.as_str() {
        "build" => {
            for image in store.build(&names, &mut progress)? {
                println!("{} {} {}", image.reference, image.digest, image.size);
            }
        }
        "check" => {
            let mut same = true;
            for name in names {
                let check = store.check(name, &mut progress)?;
                println!(
                    "{name}: {} {} {}",
                    if check.same() { "same" } else { "DIFFERENT" },
                    check.first,
                    check.second
                );
                for entry in &check.differences {
                    println!("  {entry}");
                }
                same &= check.same();
            }
            if !same {
                std::process::exit(1);
            }
        }
        "bundle" => println!("{:#?}", store.bundle(&mut progress)?),
        "program" => {
            for name in names {
                println!("{}", store.program(name, &mut progress)?.display());
            }
        }
        "export" => {
            let images = store.build(&names, &mut progress)?;
            store.export_tar(&images, &mut std::io::stdout().lock())?;
        }
        _ => {
            for info in store.list()? {
                match info.built {
                    Some(i) => println!("{:60} {} {:>6} MiB", i.reference, &i.digest[..19], i.size >> 20),
                    None => println!("{:60} not built", info.reference),
                }
            }
        }
    }
    Ok(())
}

//! Pushes to a real registry on loopback: Debian's `docker-registry`, if it is installed.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use landfall_image::{Recipes, Registry, Store};

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Gives the server and its address, once it says that it listens.
fn registry(dir: &std::path::Path) -> Option<(Server, String)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = dir.join("config.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n",
        dir.join("data").display()
    );
    std::fs::write(&config, text).unwrap();
    let mut child = Command::new("docker-registry")
        .arg("serve")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let server = Server(child);
    lines.by_ref().map_while(Result::ok).find(|line| line.contains("listening on"))?;
    // Its log must go on being read, or it would stop at a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Some((server, format!("127.0.0.1:{port}")))
}

/// Two images of one file each, on a layer that they share; no Debian package is needed.
fn recipes() -> Recipes {
    let image = |name: &str| {
        let text = format!(
            "name = \"{name}\"\ndescription = \"d\"\nfrom = \"shared\"\n[[file]]\npath = \"/{name}\"\ncontent = \"{name}\"\n"
        );
        (format!("{name}.toml"), text)
    };
    let shared = "name = \"shared\"\nkind = \"layer\"\ndescription = \"d\"\nfrom = \"scratch\"\n\
                  [[file]]\npath = \"/shared\"\ncontent = \"shared\"\n";
    Recipes::parse([("shared.toml".to_owned(), shared.to_owned()), image("one"), image("two")]).unwrap()
}

#[tokio::test]
async fn images_are_pushed_with_shared_layers_sent_once() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root builds images");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let Some((_server, address)) = registry(dir.path()) else {
        eprintln!("skipped: docker-registry is not installed");
        return;
    };
    let store = Store::open(dir.path()).unwrap().with_recipes(recipes());
    let images = store.build(&["one", "two"], &mut |_| {}).unwrap();
    let registry = Registry::parse(&format!("{address}/landfall")).unwrap().plain_http().unwrap();

    let mut sent = Vec::new();
    let pushed = store
        .push(&images, &registry, &mut |p| {
            if let landfall_image::Progress::Stage { detail, .. } = p {
                sent.push(detail);
            }
        })
        .await
        .unwrap();
    // Each: a layer and a configuration; one shared layer.
    assert_eq!(sent.len(), 5, "{sent:?}");
    assert_eq!(pushed[0].reference, format!("{address}/landfall/one:latest"));

    let mut again = 0;
    store
        .push(&images, &registry, &mut |p| {
            again += usize::from(matches!(p, landfall_image::Progress::Stage { .. }));
        })
        .await
        .unwrap();
    assert_eq!(again, 0, "blobs that the registry has are not sent again");

    let client = oci_client::Client::new(oci_client::client::ClientConfig {
        protocol: oci_client::client::ClientProtocol::Http,
        ..Default::default()
    });
    let reference = pushed[1].reference.parse().unwrap();
    let (_, digest) = client
        .pull_manifest_raw(&reference, &oci_client::secrets::RegistryAuth::Anonymous, &[MANIFEST])
        .await
        .unwrap();
    assert_eq!(digest, pushed[1].digest);
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

//! Broken starts: each is told with its cause and remedy soon after the cluster shows it.

use landfall_e2e::{Broken, Outcome, World, told};

fn clean(world: &World) -> Outcome {
    world.landfall.run(&["down", "--volumes", "--yes"]).ended(0).map(drop)
}

pub fn image_missing(world: &mut World) -> Outcome {
    clean(world)?;
    told(
        world,
        &Broken {
            file: "spec: {overrides: {memcached: {images: {tags: {memcached: 'localhost/landfall/memcached:absent'}}}}}\n",
            service: "memcached",
            code: "image-missing",
            says: &["localhost/landfall/memcached:absent"],
        },
    )
}

pub fn no_storage_class(world: &mut World) -> Outcome {
    clean(world)?;
    told(
        world,
        &Broken {
            file: "spec: {storage: {class: not-there}}\n",
            service: "mariadb",
            code: "volume-unbound",
            says: &["mysql-data", "not-there"],
        },
    )
}

/// The pods want a label that no node has.
pub fn label_missing(world: &mut World) -> Outcome {
    clean(world)?;
    told(
        world,
        &Broken {
            file: "spec: {overrides: {memcached: {labels: {server: {node_selector_key: openstack-absent}}}}}\n",
            service: "memcached",
            code: "unschedulable",
            says: &["openstack-absent"],
        },
    )
}

/// The database's administrator has another password than the Secret says.
pub fn wrong_password(world: &mut World) -> Outcome {
    clean(world)?;
    world.up(&["keystone"]).ended(0)?;
    let sql = "ALTER USER 'root'@'%' IDENTIFIED BY 'another';";
    let ask = format!("mariadb --socket=/run/mysqld/mysqld.sock --user=mysql -e \"{sql}\"");
    world
        .landfall
        .kubectl(&[
            "-n",
            "openstack",
            "exec",
            "mariadb-server-0",
            "-c",
            "mariadb",
            "--",
            "/bin/sh",
            "-c",
            &ask,
        ])
        .ended(0)?;
    told(
        world,
        &Broken {
            file: "spec: {overrides: {keystone: {conf: {keystone: {DEFAULT: {debug: true}}}}}}\n",
            service: "keystone",
            code: "database-access-denied",
            says: &["Access denied"],
        },
    )
}

pub fn too_little_cpu(world: &mut World) -> Outcome {
    clean(world)?;
    told(
        world,
        &Broken {
            file: "spec: {overrides: {memcached: {pod: {resources: {enabled: true, memcached: {requests: {cpu: '64', memory: 64Mi}}}}}}}\n",
            service: "memcached",
            code: "unschedulable",
            says: &["cpu"],
        },
    )
}

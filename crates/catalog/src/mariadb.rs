//! MariaDB, guide O04: the database of all services.

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{Leftover, SecretKind, Service, in_the_cloud, none};
use crate::values::{images, overlay, password, storage_class};

pub(crate) const ROOT_SECRET: &str = "mariadb-root";
const SST_SECRET: &str = "mariadb-sst";

pub(crate) const SERVICE: Service = Service {
    name: "mariadb",
    summary_en: "database",
    summary_ko: "데이터베이스",
    chart: "mariadb",
    guide: "O04",
    needs: &[],
    companions: &[],
    public: None,
    weights: &[("StatefulSet/mariadb-server", 12), ("Deployment/mariadb-controller", 3)],
    leftovers: &[
        Leftover { kind: "PersistentVolumeClaim", name: "mysql-data-mariadb-server-*", data: true },
        Leftover { kind: "ConfigMap", name: "mariadb-mariadb-state", data: false },
        Leftover { kind: "Lease", name: "mariadb-controller", data: false },
    ],
    secrets: &[(ROOT_SECRET, SecretKind::Password), (SST_SECRET, SecretKind::Password)],
    home: in_the_cloud,
    prerequisites: none,
    values,
    checks,
};

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let mut values =
        images(inputs, &[("mariadb", "mariadb"), ("mariadb_controller", "agent"), ("dep_check", "agent")]);
    overlay(
        &mut values,
        &json!({
            "endpoints": {"oslo_db": {"auth": {
                "admin": {"password": password(secrets, ROOT_SECRET)},
                "sst": {"password": password(secrets, SST_SECRET)},
            }}},
            "volume": {"class_name": storage_class(inputs)},
            "pod": {"replicas": {"server": inputs.members()}},
        }),
    );
    values
}

/// The client asks by the socket as the server's own user, so that no password is on a command line.
const WRITE: &str = "\
CREATE DATABASE IF NOT EXISTS landfall; \
CREATE TABLE IF NOT EXISTS landfall.probe (id INT PRIMARY KEY, seen TIMESTAMP(6) NOT NULL); \
REPLACE INTO landfall.probe VALUES (1, NOW(6)); \
SELECT CONCAT('written and read back at ', seen) FROM landfall.probe WHERE id = 1";

fn checks(inputs: &Inputs, _values: &Value) -> Vec<CheckSpec> {
    let check = |what: &str, title, remedy, kind| CheckSpec::new("mariadb", "O04", what, title, remedy, kind);
    let selector = "application=mariadb,component=server";
    vec![
        check(
            "live",
            Text::new("MariaDB says that it is live", "MariaDB 로그에 \"live\" state가 보임"),
            Text::new(
                "if the pod is Pending, look at the node's CPU and memory and at the claim mysql-data-mariadb-server-0; `landfall why pod/mariadb-server-0` names the cause",
                "파드가 Pending이면 노드 리소스(CPU, 메모리)와 PVC mysql-data-mariadb-server-0의 바인딩을 확인하세요. `landfall why pod/mariadb-server-0`가 원인을 알려줍니다",
            ),
            CheckKind::LogLine {
                namespace: inputs.namespace.clone(),
                selector: selector.into(),
                container: "mariadb".into(),
                contains: "The cluster is currently in \"live\" state.".into(),
            },
        ),
        check(
            "writable",
            Text::new("A row is written and read back", "행을 기록하고 다시 읽음"),
            Text::new(
                "`landfall logs mariadb` shows the server's reason; a full disk and a lost majority of a Galera cluster make it read-only",
                "`landfall logs mariadb`에서 이유를 확인하세요. 디스크가 가득 찼거나 Galera 과반을 잃으면 쓸 수 없습니다",
            ),
            CheckKind::Exec {
                namespace: inputs.namespace.clone(),
                selector: format!("{selector},landfall.dev/mariadb-primary=true"),
                container: "mariadb".into(),
                command: [
                    "mariadb",
                    "--socket=/run/mysqld/mysqld.sock",
                    "--batch",
                    "--skip-column-names",
                    "--execute",
                    WRITE,
                ]
                .map(str::to_owned)
                .to_vec(),
                contains: "written and read back".into(),
            },
        ),
    ]
}

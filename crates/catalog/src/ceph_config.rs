//! The clients' `ceph.conf` kept up to date, guide O03: monitors move to other addresses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Requirement, Secrets, Text};
use crate::ceph;
use crate::inputs::Inputs;
use crate::service::{Leftover, Service, in_the_cloud};
use crate::values::{images, overlay};

const NAME: &str = "ceph-config";
/// The CronJob, as the guide names it.
pub const CRON_JOB: &str = "update-ceph-config";

pub(crate) const SERVICE: Service = Service {
    name: NAME,
    summary_en: "Ceph's addresses, renewed",
    summary_ko: "Ceph 모니터 주소 자동 갱신",
    chart: "ceph-config",
    guide: "O03",
    needs: &["ceph"],
    companions: &[],
    public: None,
    weights: &[],
    // Of a Ceph whose data went it would name monitors that are nowhere.
    leftovers: &[Leftover { kind: "ConfigMap", name: ceph::CONF, data: false }],
    secrets: &[],
    home: in_the_cloud,
    prerequisites,
    values,
    checks,
};

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    vec![ceph::conf(inputs, NAME)]
}

fn values(inputs: &Inputs, _secrets: &Secrets) -> Value {
    let mut values = images(inputs, &[("ceph_config_update", "agent"), ("dep_check", "agent")]);
    overlay(
        &mut values,
        &json!({"conf": {"rook_namespace": inputs.ceph.namespace, "configmaps": [ceph::CONF]}}),
    );
    values
}

fn checks(inputs: &Inputs, _values: &Value) -> Vec<CheckSpec> {
    let check = |what: &str, title, remedy, kind| CheckSpec::new(NAME, "O03", what, title, remedy, kind);
    let again =
        || Text::new("`landfall up ceph-config` brings it back", "`landfall up ceph-config`가 다시 만듭니다");
    vec![
        check(
            "cronjob",
            Text::new(
                format!("CronJob {CRON_JOB} runs every midnight"),
                format!("CronJob {CRON_JOB}이(가) 매일 자정에 실행됨"),
            ),
            again(),
            CheckKind::Object {
                api_version: "batch/v1".into(),
                object_kind: "CronJob".into(),
                namespace: inputs.namespace.clone(),
                name: CRON_JOB.into(),
                fields: BTreeMap::from([
                    ("/spec/schedule".to_owned(), json!("0 0 * * *")),
                    ("/spec/suspend".to_owned(), json!(false)),
                ]),
            },
        ),
        check(
            "script",
            Text::new(
                format!("ConfigMap {CRON_JOB}-script holds what it runs"),
                format!("ConfigMap {CRON_JOB}-script에 실행할 내용이 있음"),
            ),
            again(),
            CheckKind::Object {
                api_version: "v1".into(),
                object_kind: "ConfigMap".into(),
                namespace: inputs.namespace.clone(),
                name: format!("{CRON_JOB}-script"),
                fields: BTreeMap::new(),
            },
        ),
        check(
            "monitors",
            Text::new(
                format!("ConfigMap {} names the monitors as they are now", ceph::CONF),
                format!("ConfigMap {}에 현재 모니터 주소가 있음", ceph::CONF),
            ),
            Text::new(
                "`landfall ceph renew` runs the CronJob's work once, now",
                "`landfall ceph renew`가 CronJob의 작업을 지금 한 번 실행합니다",
            ),
            CheckKind::CephConf {
                rook: inputs.ceph.namespace.clone(),
                namespace: inputs.namespace.clone(),
                name: ceph::CONF.into(),
            },
        ),
    ]
}

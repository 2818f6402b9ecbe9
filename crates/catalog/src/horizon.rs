//! Horizon, past the guide: the dashboard, its sessions in Memcached.

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{SecretKind, Service, in_the_cloud, none};
use crate::values::{count, images, overlay, password};

const NAME: &str = "horizon";
/// Signs sessions and forms. Where it changes, everybody has to log in again.
const KEY_SECRET: &str = "horizon-secret-key";

pub(crate) const SERVICE: Service = Service {
    name: NAME,
    summary_en: "dashboard",
    summary_ko: "대시보드",
    chart: NAME,
    guide: "",
    needs: &["memcached", "keystone"],
    companions: &[],
    public: Some(NAME),
    weights: &[("Deployment/horizon", 12)],
    leftovers: &[],
    secrets: &[(KEY_SECRET, SecretKind::Key)],
    home: in_the_cloud,
    prerequisites: none,
    values,
    checks,
};

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let mut values = images(inputs, &[("horizon", "horizon"), ("dep_check", "agent")]);
    overlay(
        &mut values,
        &json!({
            "endpoints": {"dashboard": {"host_fqdn_override": {"public": inputs.public(NAME)}}},
            "network": {"dashboard": {"ingress": {"classes": {"namespace": inputs.ingress_class}}}},
            "pod": {"replicas": {"server": inputs.api_replicas()}},
            "conf": {
                "horizon": {"local_settings": {"config": {"horizon_secret_key": password(secrets, KEY_SECRET)}}},
                "horizon_uwsgi": {"uwsgi": {"processes": inputs.workers()}},
            },
        }),
    );
    values
}

fn checks(inputs: &Inputs, values: &Value) -> Vec<CheckSpec> {
    let (namespace, keystone, host) = (&inputs.namespace, inputs.public("keystone"), inputs.public(NAME));
    let check = |what: &str, title, remedy, kind| CheckSpec::new(NAME, "", what, title, remedy, kind);
    vec![
        check(
            "pods",
            Text::new("The pods of horizon run", "horizon 파드가 Running 상태"),
            Text::new(
                "`landfall why deployment/horizon` names what they wait for",
                "`landfall why deployment/horizon`이 기다리는 원인을 알려줍니다",
            ),
            CheckKind::PodsReady {
                namespace: namespace.clone(),
                selector: "application=horizon,component=server".into(),
                at_least: count(values, "/pod/replicas/server", 1),
            },
        ),
        check(
            "login",
            Text::new(
                format!("http://{host} lets the administrator in and shows the project"),
                format!("http://{host} 에 관리자로 로그인하면 프로젝트 화면이 보임"),
            ),
            Text::new(
                format!(
                    "the form comes back: Keystone refuses the password (`landfall verify keystone`), or the session was lost (`landfall verify memcached`); 400: the name {host} is not among conf.horizon.local_settings.config.allowed_hosts; 500: `kubectl -n {namespace} logs deploy/horizon`"
                ),
                format!(
                    "로그인 화면으로 돌아오면 Keystone이 비밀번호를 거부했거나 (`landfall verify keystone`) 세션이 사라진 것입니다 (`landfall verify memcached`). 400이면 {host}이(가) conf.horizon.local_settings.config.allowed_hosts에 없습니다. 500이면 `kubectl -n {namespace} logs deploy/horizon`을 확인하세요"
                ),
            ),
            CheckKind::HorizonLogin { keystone, host },
        ),
    ]
}

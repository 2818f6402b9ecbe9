//! What is said, and by which exit code, where the input is bad. The binary as it is, in a home of its own
//! without a kubeconfig. Lack of permission (31) and a second run (32) need a real cluster: see `e2e`.

#![allow(clippy::unwrap_used)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use insta::assert_snapshot;
use tempfile::TempDir;

/// No answer is worth a longer wait. It is there to end a test that hangs, and measures nothing.
const AT_MOST: Duration = Duration::from_mins(1);

struct Home(TempDir);

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, path: &str, text: &str) -> Self {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .env("LANDFALL_STATE", self.path().join("state"))
            .env("LANDFALL_CACHE", self.path().join("cache"))
            .env("LANG", "C.UTF-8")
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let process = rustix::process::Pid::from_child(&child);
        let (sender, receiver) = channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = receiver.recv_timeout(AT_MOST) else {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            panic!("landfall {arguments:?} did not come to an end");
        };
        let output = output.unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Exit code and words, with the home's path taken out.
    fn told(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.stdout, "", "data on stdout of a run that failed");
        let home = self.path().display().to_string();
        // All of them are named; which there are is the catalog's matter.
        let known: Vec<&str> = landfall_catalog::services().iter().map(|service| service.name).collect();
        let said = ended.stderr.replace(&home, "[HOME]").replace(&known.join(", "), "[SERVICES]");
        format!("exit {}\n{said}", ended.code)
    }
}

/// A kubeconfig of the contexts `one` and `two` for a server on this machine.
fn kubeconfig(port: u16, current: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{port}'}}}}]\n\
         users: [{{name: u, user: {{token: none}}}}]\n\
         contexts: [{{name: one, context: {{cluster: c, user: u}}}}, {{name: two, context: {{cluster: c, user: u}}}}]\n\
         current-context: '{current}'\n"
    )
}

/// A port that nobody listens on: it was free a moment ago.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn an_unknown_service_is_told_with_the_nearest() {
    let home = Home::new();
    assert_snapshot!(home.told(&["up", "keystoen"]), @r"
    exit 20
    error: there is no service keystoen; did you mean keystone? (known: [SERVICES])
    ");
    // No cluster is needed to know it.
    for verb in ["plan", "verify", "down"] {
        assert!(home.told(&[verb, "keystoen"]).starts_with("exit 20\n"), "{verb}");
    }
}

#[test]
fn an_unknown_service_of_the_cloud_file_is_told_with_its_field() {
    let home = Home::new()
        .with("services.yaml", "spec: {services: [rabbit]}\n")
        .with("overrides.yaml", "spec: {overrides: {keyston: {pod: {}}}}\n");
    assert_snapshot!(home.told(&["plan", "-f", "services.yaml"]), @r"
    exit 20
    error: spec.services: there is no service rabbit; did you mean rabbitmq? (known: [SERVICES])
    ");
    assert_snapshot!(home.told(&["up", "-f", "overrides.yaml"]), @r"
    exit 20
    error: spec.overrides: there is no service keyston; did you mean keystone? (known: [SERVICES])
    ");
}

#[test]
fn broken_yaml_is_told_with_file_and_line() {
    let home = Home::new().with("cloud.yaml", "spec:\n  services: [keystone\n  domain: citec.com\n");
    // `cloud.yaml` of the folder is taken without being named.
    assert_snapshot!(home.told(&["up"]), @r"
    exit 21
    cloud file: cloud.yaml
    error: cloud.yaml:3:9: illegal placement of ':' indicator at line 3, column 9
      |
    3 |   domain: citec.com
      |         ^
    ");
}

#[test]
fn an_unknown_field_is_told_with_its_line_and_the_nearest() {
    let home = Home::new().with("my.yaml", "spec:\n  domian: citec.com\n");
    assert_snapshot!(home.told(&["verify", "--file", "my.yaml"]), @r"
    exit 22
    error: my.yaml:2:3: unknown field `domian`, expected one of domain, namespace, services, charts, storage, nodes, ingress, overrides at line 2, column 3
      |
    2 |   domian: citec.com
      |   ^
    hint: did you mean `domain`?
    ");
}

#[test]
fn a_wrong_type_is_told_with_its_line() {
    let home = Home::new().with("my.yaml", "spec:\n  services: keystone\n");
    assert_snapshot!(home.told(&["up", "-f", "my.yaml"]), @r"
    exit 23
    error: my.yaml:2:13: expected sequence start at line 2, column 13
      |
    2 |   services: keystone
      |             ^
    ");
}

#[test]
fn a_domain_that_is_none_is_told_before_a_cluster_is_made() {
    let home = Home::new().with("my.yaml", "spec:\n  domain: Not_A.Domain\n");
    assert_snapshot!(home.told(&["up", "-f", "my.yaml"]), @r#"
    exit 24
    error: my.yaml:2:11: spec.domain "Not_A.Domain" is not a DNS name
      |
    2 |   domain: Not_A.Domain
      |           ^
    hint: lower-case letters, digits and '-', as in citec.com
    "#);
    assert_snapshot!(home.told(&["up", "--domain", "not_a.domain"]), @r#"
    exit 24
    error: the domain "not_a.domain" is not a DNS name
    hint: lower-case letters, digits and '-', as in citec.com
    "#);
    assert!(!home.path().join("state").exists() && !home.path().join("cache").exists());
}

#[test]
fn a_name_of_a_cluster_that_can_not_be_is_told() {
    assert_snapshot!(Home::new().told(&["local", "up", "--name", "A_b"]), @r"
    exit 24
    error: the cluster's name `A_b` cannot be used: only lower-case letters, digits and hyphens are allowed
    ");
}

#[test]
fn a_file_that_is_not_there_is_told_with_what_writes_one() {
    assert_snapshot!(Home::new().told(&["up", "-f", "nowhere.yaml"]), @r"
    exit 25
    error: nowhere.yaml: the cloud file can not be read: No such file or directory (os error 2)
    hint: `landfall init` writes a cloud file with every default in it
    ");
}

#[test]
fn a_file_that_would_be_written_over_stays() {
    let home = Home::new().with("cloud.yaml", "spec: {}\n");
    assert_snapshot!(home.told(&["init"]), @r"
    exit 25
    error: cloud.yaml can not be written: File exists (os error 17)
    hint: name another file, or remove this one first
    ");
    assert_eq!(std::fs::read_to_string(home.path().join("cloud.yaml")).unwrap(), "spec: {}\n");
}

/// A chart that wants a name.
fn with_chart() -> Home {
    Home::new()
        .with("chart/Chart.yaml", "apiVersion: v2\nname: demo\nversion: 0.1.0\n")
        .with(
            "chart/templates/map.yaml",
            "kind: ConfigMap\ndata:\n  name: {{ required \"a name is needed\" .Values.name }}\n",
        )
        .with("values.yaml", "name: kim\n")
}

#[test]
fn a_chart_that_does_not_render_is_told_with_template_and_line() {
    assert_snapshot!(with_chart().told(&["template", "demo", "chart"]), @r#"
    exit 26
    error: execution error at (demo/templates/map.yaml:3:11): a name is needed
      --> demo/templates/map.yaml:3
        3 |   name: {{ required "a name is needed" .Values.name }}
          |            ^
    "#);
}

#[test]
fn the_file_flag_of_template_is_a_values_file() {
    let home = with_chart();
    let rendered = home.run(&["template", "demo", "chart", "-f", "values.yaml"]);
    assert_eq!(rendered.code, 0, "{}", rendered.stderr);
    assert!(rendered.stdout.contains("  name: kim\n"), "{}", rendered.stdout);
    assert_snapshot!(home.told(&["template", "demo", "chart", "-f", "nowhere.yaml"]), @r"
    exit 25
    error: cannot read nowhere.yaml: No such file or directory (os error 2)
    ");
}

#[test]
fn a_cluster_that_does_not_answer_is_told_soon_by_every_verb() {
    let home = Home::new().with("config", &kubeconfig(closed_port(), "one"));
    assert_snapshot!(home.told(&["status", "--kubeconfig", "config"]), @r"
    exit 30
    error: the cluster one does not answer: client error (Connect): tcp connect error: Connection refused (os error 111)
    hint: check that the cluster runs and that this kubeconfig is its own; `landfall local status` shows the embedded one
    ");
    for verb in ["up", "plan", "verify", "down", "openrc", "hosts", "why", "diagram"] {
        let told = home.told(&[verb, "--kubeconfig", "config", "--yes"]);
        assert!(
            told.starts_with("exit 30\n") && told.contains("the cluster one does not answer"),
            "{verb}: {told}"
        );
    }
}

#[test]
fn a_server_that_takes_connections_and_says_nothing_is_told_soon() {
    // Connections stay in the backlog; nobody ever reads them.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new().with(".kube/config", &kubeconfig(listener.local_addr().unwrap().port(), "one"));
    let told = home.told(&["down", "--yes"]);
    assert!(told.starts_with("exit 30\n") && told.contains("the cluster one does not answer"), "{told}");
}

#[test]
fn a_context_that_the_kubeconfig_lacks_is_told_with_those_it_has() {
    let home = Home::new()
        .with("config", &kubeconfig(1, "one"))
        .with("none", &kubeconfig(1, ""))
        .with("gone", &kubeconfig(1, "three"));
    assert_snapshot!(home.told(&["status", "--kubeconfig", "config", "--context", "three"]), @r"
    exit 24
    error: the kubeconfig config has no context three
    hint: --context with one of: one, two
    ");
    assert_snapshot!(home.told(&["status", "--kubeconfig", "none"]), @r"
    exit 24
    error: the kubeconfig none has no current context
    hint: --context with one of: one, two
    ");
    assert!(home.told(&["status", "--kubeconfig", "gone"]).contains("has no context three"));
}

#[test]
fn a_kubeconfig_that_is_none_is_told_with_its_path() {
    let home = Home::new().with("config", "apiVersion: v1\nkind: [\n");
    assert_snapshot!(home.told(&["status", "--kubeconfig", "config"]), @r"
    exit 25
    error: kubeconfig config: failed to parse kubeconfig YAML: error: line 2 column 7: expected string scalar
     --> <input>:2:7
      |
    1 | apiVersion: v1
    2 | kind: [
      |       ^ expected string scalar
    hint: name your cluster's file with --kubeconfig, or work on the embedded cluster with --local
    ");
    assert_snapshot!(home.told(&["status", "--kubeconfig", "nowhere"]), @r"
    exit 25
    error: the kubeconfig nowhere can not be read: No such file or directory (os error 2)
    hint: name your cluster's file with --kubeconfig, or work on the embedded cluster with --local
    ");
}

#[test]
fn verbs_that_need_a_cluster_say_what_makes_one() {
    let home = Home::new();
    assert_snapshot!(home.told(&["status"]), @r"
    exit 33
    error: no cluster is given, and there is no embedded one yet
    hint: `landfall up` makes one on this machine; or give --kubeconfig
    ");
    for verb in [&["plan"][..], &["verify"], &["openrc"], &["hosts"], &["openstack", "service", "list"]] {
        assert!(home.told(verb).starts_with("exit 33\n"), "{verb:?}");
    }
    assert_snapshot!(home.told(&["local", "status"]), @r"
    exit 33
    error: there is no embedded cluster called `landfall` under [HOME]/state; `landfall local up` makes one
    ");
}

#[test]
fn nothing_is_taken_as_a_yes_where_nobody_can_be_asked() {
    let home = Home::new().with("hosts", "127.0.0.1 localhost\n# landfall: begin\n# landfall: end\n");
    let remove = ["hosts", "--remove", "--hosts-file", "hosts"];
    assert_snapshot!(home.told(&remove), @r"
    exit 50
    error: not confirmed: Take Landfall's lines out of hosts?
    hint: there is no terminal to ask at; --yes confirms
    ");
    assert!(std::fs::read_to_string(home.path().join("hosts")).unwrap().contains("landfall"));
    let confirmed = home.run(&[&remove[..], &["--yes"]].concat());
    assert_eq!(confirmed.code, 0, "{}", confirmed.stderr);
    assert_eq!(std::fs::read_to_string(home.path().join("hosts")).unwrap(), "127.0.0.1 localhost\n");
}

#[test]
fn a_command_line_that_is_not_understood_ends_with_2() {
    let home = Home::new();
    for wrong in [
        &["upp"][..],
        &["up", "--nix"],
        &["up", "--nodes", "0"],
        &["up", "--nodes", "many"],
        &["up", "--local", "--context", "one"],
        &["status", "-o", "xml"],
        &["local", "up", "--subnet", "everywhere"],
        // The cloud file belongs to the verbs that read it.
        &["-f", "cloud.yaml", "up"],
        &[],
    ] {
        let ended = home.run(wrong);
        assert_eq!(ended.code, 2, "{wrong:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("Usage: landfall") || ended.stderr.contains("--help"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn messages_are_korean_where_it_is_asked_for() {
    let home = Home::new().with("config", &kubeconfig(1, "one"));
    assert_snapshot!(home.told(&["--lang=ko", "up", "keystoen"]), @r"
    exit 20
    error: keystoen: 그런 서비스가 없습니다. keystone이(가) 맞나요? (있는 것: [SERVICES])
    ");
    assert_snapshot!(home.told(&["--lang=ko", "status"]), @r"
    exit 33
    error: 지정된 클러스터가 없고 내장 클러스터도 아직 없습니다
    hint: `landfall up`이 이 머신에 클러스터를 만듭니다. 또는 --kubeconfig를 지정하세요
    ");
    assert_snapshot!(home.told(&["--lang=ko", "status", "--kubeconfig", "config", "--context", "x"]), @r"
    exit 24
    error: kubeconfig config에 컨텍스트 x이(가) 없습니다
    hint: --context로 다음 중 하나를 지정하세요: one, two
    ");
}

#[test]
fn through_a_service_is_read_like_a_service() {
    let home = Home::new();
    for verb in ["up", "plan", "verify"] {
        let told = home.told(&[verb, "--through", "keystoen"]);
        assert!(told.starts_with("exit 20\n") && told.contains("did you mean keystone?"), "{verb}: {told}");
    }
    assert!(home.told(&["up", "mariadb", "--through", "keystone"]).starts_with("exit 2\n"));
}

#[test]
fn what_is_asked_about_is_told_from_what_is_not() {
    let home = Home::new();
    for verb in ["why", "logs"] {
        assert!(home.told(&[verb, "keystoen"]).starts_with("exit 20\n"), "{verb}");
        let told = home.told(&[verb, "pot/keystone-api"]);
        assert!(
            told.starts_with("exit 24\n") && told.contains("known are pod, deployment"),
            "{verb}: {told}"
        );
    }
}

#[test]
fn a_cluster_that_does_not_answer_is_a_finding_of_doctor() {
    let home = Home::new().with("admin.conf", &kubeconfig(closed_port(), "one"));
    let ended = home.run(&["doctor", "--kubeconfig", "admin.conf", "-o", "json"]);
    assert_eq!(ended.code, 12, "{}", ended.stderr);
    let found: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&found[0]["id"], &found[0]["level"]), (&"cluster/answers".into(), &"problem".into()));
    assert!(found[0]["remedy"]["ko"].as_str().unwrap().contains("클러스터"), "{found}");
    // A kubeconfig that lacks the context is not the cluster's trouble.
    assert!(
        home.told(&["doctor", "--kubeconfig", "admin.conf", "--context", "three"]).starts_with("exit 24\n")
    );
}

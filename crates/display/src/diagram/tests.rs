use super::*;

fn service(name: &str, ko: &str, health: Health, uses: &[&str], names: &[&str]) -> Service {
    let (ready, wanted) = match health {
        Health::Up => (1, 1),
        Health::Partly => (1, 3),
        Health::Down => (0, 1),
        Health::Absent => (0, 0),
    };
    Service {
        name: name.into(),
        summary: Text::new(format!("what {name} does"), ko),
        health,
        ready,
        wanted,
        uses: uses.iter().map(|name| (*name).to_owned()).collect(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn network() -> Network {
    Network {
        address: Some("10.96.0.11".into()),
        services: vec![
            service("mariadb", "데이터베이스", Health::Partly, &[], &[]),
            service("rabbitmq", "메시지 브로커", Health::Up, &[], &[]),
            service("memcached", "캐시", Health::Up, &[], &[]),
            service("keystone", "인증", Health::Up, &["mariadb", "memcached"], &["keystone.citec.com"]),
            service("glance", "이미지 관리", Health::Down, &["keystone", "mariadb"], &["glance.citec.com"]),
            service("neutron", "네트워킹", Health::Absent, &["rabbitmq", "keystone"], &[]),
        ],
    }
}

fn cluster() -> Cluster {
    let share = |service: &str, ready, wanted| Share { service: service.into(), ready, wanted };
    Cluster {
        name: "citec".into(),
        nodes: vec![
            Node {
                name: "k1".into(),
                health: Health::Up,
                roles: vec!["control-plane".into(), "compute".into()],
                shares: vec![share("keystone", 1, 1), share("mariadb", 0, 1)],
                ceph: vec![("mon.a".into(), Health::Up), ("osd.0".into(), Health::Down)],
            },
            Node {
                name: "k2".into(),
                health: Health::Down,
                roles: vec!["compute".into()],
                shares: vec![share("libvirt", 0, 1)],
                ceph: Vec::new(),
            },
        ],
        nowhere: vec!["glance-api".into()],
    }
}

#[test]
fn the_network_as_text() {
    insta::assert_snapshot!(draw(Picture::Network(&network()), Format::Text, Language::En, 90));
}

#[test]
fn the_network_as_text_in_korean() {
    insta::assert_snapshot!(draw(Picture::Network(&network()), Format::Text, Language::Ko, 90));
}

#[test]
fn the_cluster_as_text_in_korean() {
    insta::assert_snapshot!(draw(Picture::Cluster(&cluster()), Format::Text, Language::Ko, 90));
}

#[test]
fn both_as_mermaid() {
    let network = draw(Picture::Network(&network()), Format::Mermaid, Language::En, 0);
    let cluster = draw(Picture::Cluster(&cluster()), Format::Mermaid, Language::Ko, 0);
    insta::assert_snapshot!(format!("{network}\n{cluster}"));
}

#[test]
fn both_as_svg() {
    let network = draw(Picture::Network(&network()), Format::Svg, Language::Ko, 0);
    let cluster = draw(Picture::Cluster(&cluster()), Format::Svg, Language::En, 0);
    insta::assert_snapshot!(format!("{network}\n{cluster}"));
}

#[test]
fn names_can_not_break_out_of_a_picture() {
    let mut network = network();
    network.services[0].name = "a\"]<b>&".into();
    let svg = draw(Picture::Network(&network), Format::Svg, Language::En, 0);
    assert!(svg.contains("a&quot;]&lt;b&gt;&amp;") && !svg.contains("<b>"));
    let mermaid = draw(Picture::Network(&network), Format::Mermaid, Language::En, 0);
    assert!(mermaid.contains("a___b__[\"a#quot;]#lt;b#gt;&<br/>"), "{mermaid}");
}

#[test]
fn every_line_of_a_drawn_cluster_is_of_one_width() {
    use unicode_width::UnicodeWidthStr;
    let text = draw(Picture::Cluster(&cluster()), Format::Text, Language::Ko, 60);
    let widths: std::collections::BTreeSet<usize> = text.lines().map(UnicodeWidthStr::width).collect();
    assert_eq!(widths.len(), 1, "{text}");
}

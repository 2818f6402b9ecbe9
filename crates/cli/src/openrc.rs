//! `landfall openrc`: the files by which OpenStack's own clients find the cloud; mode 0600.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use landfall_catalog::blueprint::Secrets;
use landfall_config::Cloud;

use crate::args::CloudFile;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::tell;
use crate::{Session, cloud, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    cloud: CloudFile,
    /// Folder for .openstackrc and clouds.yaml; the home folder and ~/.config/openstack where it is not given
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

pub(crate) const ADMIN: &str = "keystone-admin";

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::read(session, &args.cloud)?;
    let target = target::connect(session).await?;
    let cluster = target.cluster.as_ref();
    let Some(domain) = cloud::domain_of(cluster, &cloud.namespace).await? else {
        return Err(Failure::told(
            Exit::NotThere,
            "this cluster has no Keystone of Landfall's yet",
            "이 클러스터에는 아직 Keystone이 없습니다",
        )
        .hint_command("landfall up keystone"));
    };
    let secrets = landfall_engine::secrets::stored(cluster, &cloud.namespace).await?;
    match &args.to {
        Some(folder) => write(session, folder, folder, &cloud, &domain, &secrets),
        None => write_home(session, &cloud, &domain, &secrets),
    }
}

/// Writes the files to where the clients look for them.
pub(crate) fn write_home(session: &Session, cloud: &Cloud, domain: &str, secrets: &Secrets) -> Result {
    let home = &session.environment.home;
    write(session, home, &home.join(".config/openstack"), cloud, domain, secrets)
}

fn write(
    session: &Session,
    rc: &Path,
    clouds: &Path,
    cloud: &Cloud,
    domain: &str,
    secrets: &Secrets,
) -> Result {
    let Some(password) = secrets.0.get(ADMIN) else {
        return Err(Failure::told(
            Exit::NotThere,
            "the administrator's password is not in the cluster's Secret landfall-secrets",
            "관리자 암호가 클러스터의 Secret landfall-secrets에 없습니다",
        ));
    };
    let rc = rc.join(".openstackrc");
    put(&rc, &openrc(domain, password))?;
    let clouds = clouds.join("clouds.yaml");
    let ours = clouds_yaml(&cloud.name, domain, password);
    match std::fs::read_to_string(&clouds) {
        // Another program's file may name other clouds: theirs stays.
        Ok(text) if !text.starts_with(HEADER) => {
            let beside = clouds.with_file_name("clouds-landfall.yaml");
            put(&beside, &ours)?;
            tell(&format!(
                "{} {} OS_CLIENT_CONFIG_FILE={}",
                clouds.display(),
                session.say(
                    "is not Landfall's and stays; use",
                    "파일은 Landfall의 것이 아니라 그대로 둡니다. 사용:"
                ),
                beside.display()
            ));
        }
        _ => put(&clouds, &ours)?,
    }
    let (rc, clouds) = (rc.display(), clouds.display());
    tell(&format!("{} {rc}, {clouds} (0600): `. {rc}`", session.say("wrote", "작성함:")));
    Ok(())
}

const HEADER: &str = "# Written by landfall";

fn openrc(domain: &str, password: &str) -> String {
    let mut text = format!("{HEADER}; `landfall openrc` writes it anew.\n");
    for (name, value) in [
        ("OS_AUTH_URL", format!("http://keystone.{domain}/v3").as_str()),
        ("OS_IDENTITY_API_VERSION", "3"),
        ("OS_USERNAME", "admin"),
        ("OS_PASSWORD", password),
        ("OS_PROJECT_NAME", "admin"),
        ("OS_USER_DOMAIN_NAME", "Default"),
        ("OS_PROJECT_DOMAIN_NAME", "Default"),
        ("OS_REGION_NAME", "RegionOne"),
        ("OS_INTERFACE", "public"),
    ] {
        // Single quotes: nothing of a value is expanded by the shell.
        text.push_str(&format!("export {name}='{}'\n", value.replace('\'', "'\\''")));
    }
    text
}

fn clouds_yaml(name: &str, domain: &str, password: &str) -> String {
    let password = serde_json::Value::from(password);
    format!(
        "{HEADER}; `landfall openrc` writes it anew.\nclouds:\n  {name}:\n    auth:\n      auth_url: http://keystone.{domain}/v3\n      \
         username: admin\n      password: {password}\n      project_name: admin\n      user_domain_name: Default\n      \
         project_domain_name: Default\n    region_name: RegionOne\n    interface: public\n    identity_api_version: 3\n"
    )
}

/// Whole or not at all, and never readable by others, not even for a moment.
fn put(path: &Path, text: &str) -> Result {
    let failed = |error: std::io::Error| {
        Failure::told(
            Exit::Unreadable,
            format!("{} can not be written: {error}", path.display()),
            format!("{}: 쓸 수 없습니다: {error}", path.display()),
        )
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let draft = path.with_extension(format!("landfall-{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_with_the_password_are_readable_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets([(ADMIN.to_owned(), "it's".to_owned())].into());
        write(&Session::of_tests(), folder.path(), folder.path(), &Cloud::default(), "citec.com", &secrets)
            .unwrap();
        for name in [".openstackrc", "clouds.yaml"] {
            let path = folder.path().join(name);
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
        let rc = std::fs::read_to_string(folder.path().join(".openstackrc")).unwrap();
        assert!(rc.contains("export OS_AUTH_URL='http://keystone.citec.com/v3'\n"), "{rc}");
        assert!(rc.contains(r"export OS_PASSWORD='it'\''s'"), "{rc}");
    }

    #[test]
    fn a_clouds_yaml_of_others_stays() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("clouds.yaml"), "clouds: {mine: {}}\n").unwrap();
        let secrets = Secrets([(ADMIN.to_owned(), "x".to_owned())].into());
        write(&Session::of_tests(), folder.path(), folder.path(), &Cloud::default(), "citec.com", &secrets)
            .unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.path().join("clouds.yaml")).unwrap(),
            "clouds: {mine: {}}\n"
        );
        assert!(folder.path().join("clouds-landfall.yaml").exists());
    }
}

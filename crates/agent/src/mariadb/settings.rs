//! The environment of a server's pod.

use std::fmt;
use std::path::PathBuf;

use crate::pod::{self, Error, Result};

#[derive(Clone)]
pub struct Account {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What the probes need too.
#[derive(Debug, Clone)]
pub struct Places {
    pub data: PathBuf,
    pub run: PathBuf,
    pub replicas: usize,
}

impl Places {
    pub fn from_environment() -> Result<Self> {
        Ok(Self {
            data: pod::var("MARIADB_DATA_DIR").unwrap_or_else(|| "/var/lib/mysql".to_owned()).into(),
            run: pod::var("MARIADB_RUN_DIR").unwrap_or_else(|| "/run/mysqld".to_owned()).into(),
            replicas: pod::parsed("MARIADB_REPLICAS", 1, "a number of servers")?,
        })
    }

    pub fn socket(&self) -> PathBuf {
        self.run.join("mysqld.sock")
    }

    /// Exists while the server may be used.
    pub fn ready(&self) -> PathBuf {
        self.run.join("ready")
    }

    /// Holds the phase's word.
    pub fn phase(&self) -> PathBuf {
        self.run.join("phase")
    }

    /// Secrets for mariadbd, 0600.
    pub fn settings(&self) -> PathBuf {
        self.run.join("landfall.cnf")
    }

    /// Exists while the first installation is not through: such data is worth nothing.
    pub fn unfinished(&self) -> PathBuf {
        self.data.join("landfall-installing")
    }

    /// Exists while the data was last written without Galera.
    pub fn alone(&self) -> PathBuf {
        self.data.join("landfall-alone")
    }

    pub fn grastate(&self) -> PathBuf {
        self.data.join("grastate.dat")
    }
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub places: Places,
    pub me: String,
    pub namespace: String,
    pub prefix: String,
    pub ip: String,
    pub discovery: String,
    pub wsrep_port: u16,
    pub config_map: String,
    pub leader_ttl: i64,
    pub admin: Account,
    pub sst: Option<Account>,
    pub audit: Option<Account>,
    pub sst_method: Option<String>,
    pub bind_address: String,
    pub ephemeral: bool,
    pub extra: Vec<String>,
}

impl Settings {
    pub fn from_environment() -> Result<Self> {
        let places = Places::from_environment()?;
        let me = pod::name();
        let prefix = pod::var("POD_NAME_PREFIX")
            .unwrap_or_else(|| me.rsplit_once('-').map_or(me.clone(), |(p, _)| p.to_owned()));
        let discovery = pod::var("DISCOVERY_DOMAIN").unwrap_or_default();
        if places.replicas > 1 && discovery.is_empty() {
            return Err(Error::MissingVariable {
                variable: "DISCOVERY_DOMAIN".to_owned(),
                hint: "more than one server find each other by the headless Service's domain",
            });
        }
        let ip = match pod::var("POD_IP") {
            Some(ip) => ip,
            None => own_address(&me)?,
        };
        let password = pod::secret("MYSQL_DBADMIN_PASSWORD")?.ok_or_else(|| Error::MissingVariable {
            variable: "MYSQL_DBADMIN_PASSWORD_FILE".to_owned(),
            hint: "the administrator's password comes from the Secret of the chart",
        })?;
        let admin = Account {
            user: pod::var("MYSQL_DBADMIN_USERNAME").unwrap_or_else(|| "root".to_owned()),
            password,
        };
        let sst = account("MYSQL_DBSST")?;
        if sst.as_ref().is_some_and(|s| s.user == admin.user) {
            return Err(Error::Failed(format!(
                "MYSQL_DBSST_USERNAME and MYSQL_DBADMIN_USERNAME are both {}: give the state transfer a user of its own",
                admin.user
            )));
        }
        Ok(Self {
            namespace: pod::var("POD_NAMESPACE").unwrap_or_else(pod::namespace),
            prefix,
            ip,
            discovery,
            wsrep_port: pod::parsed("WSREP_PORT", 4567, "a port")?,
            config_map: pod::var("STATE_CONFIGMAP").unwrap_or_else(|| "mariadb-mariadb-state".to_owned()),
            leader_ttl: pod::parsed("CLUSTER_LEADER_TTL", 60, "a number of seconds")?,
            admin,
            sst,
            audit: account("MYSQL_DBAUDIT")?,
            sst_method: pod::var("MARIADB_SST_METHOD"),
            bind_address: pod::var("MARIADB_BIND_ADDRESS").unwrap_or_else(|| "0.0.0.0".to_owned()),
            ephemeral: pod::parsed("MARIADB_EPHEMERAL", false, "true or false")?,
            extra: pod::var("MARIADB_EXTRA_ARGS")
                .map(|a| a.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            places,
            me,
        })
    }

    pub fn members(&self) -> Vec<String> {
        (0..self.places.replicas.max(1)).map(|n| format!("{}-{n}", self.prefix)).collect()
    }

    pub fn is_single(&self) -> bool {
        self.places.replicas <= 1
    }

    /// Host name of a member.
    pub fn host(&self, member: &str) -> String {
        format!("{member}.{}", self.discovery)
    }
}

fn account(prefix: &str) -> Result<Option<Account>> {
    let Some(user) = pod::var(&format!("{prefix}_USERNAME")) else { return Ok(None) };
    Ok(pod::secret(&format!("{prefix}_PASSWORD"))?.map(|password| Account { user, password }))
}

fn own_address(host: &str) -> Result<String> {
    use std::net::ToSocketAddrs;
    let found = (host, 0)
        .to_socket_addrs()
        .map_err(Error::io(format!("cannot resolve {host} (give POD_IP by the downward API)")))?;
    let mut found: Vec<_> = found.map(|a| a.ip()).collect();
    found.sort_by_key(|ip| (ip.is_ipv6(), ip.is_loopback()));
    found
        .first()
        .map(ToString::to_string)
        .ok_or_else(|| Error::Failed(format!("{host} has no address (give POD_IP by the downward API)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_do_not_show_their_passwords() {
        let shown = format!("{:?}", Account { user: "root".into(), password: "s3cret".into() });
        assert!(shown.contains("root") && !shown.contains("s3cret"), "{shown}");
    }
}

//! `--verify` and `--sign`: keyrings, passphrases, and what is said where a chart is not vouched for.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_helm::provenance::{Keyring, ProvenanceError};
use landfall_helm::{Chart, HelmError};

use crate::Session;
use crate::charts::now;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{ask_unseen, interactive};

/// More than any passphrase has.
const LONGEST_PASSPHRASE: u64 = 64 << 10;

/// Whether a chart has to be signed, and by whom.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Signed {
    /// Refuse what nobody in the keyring has signed
    #[arg(long)]
    verify: bool,
    /// Public keys that are trusted; else GnuPG's own ring
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

/// Whether an archive is signed, and by whom.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Signing {
    /// Write a signed provenance file beside the archive
    #[arg(long, requires = "key")]
    sign: bool,
    /// The user-id of the key that signs, a part of it, or the key's fingerprint
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Secret keys (`gpg --export-secret-keys`)
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
    /// A file whose first line is the key's passphrase; `-` is standard input
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// A secret key with its passphrase.
pub(crate) struct Pen {
    keyring: Keyring,
    key: String,
    passphrase: String,
}

impl Signed {
    /// The keys that are trusted; none where nothing is to be verified.
    pub(crate) fn keyring(&self, session: &Session) -> Result<Option<Arc<Keyring>>> {
        if !self.verify {
            return Ok(None);
        }
        keyring(session, self.keyring.as_ref()).map(|keyring| Some(Arc::new(keyring)))
    }

    /// The chart in an archive of this machine, once it is verified; none where nothing is to be verified.
    pub(crate) fn archive(&self, session: &Session, path: &Path) -> Result<Option<Chart>> {
        let Some(keyring) = self.keyring(session)? else { return Ok(None) };
        if path.is_dir() || path.extension().is_none_or(|kind| !kind.eq_ignore_ascii_case("tgz")) {
            return Err(Failure::told(
                Exit::Unverified,
                format!("{}: only packed charts (.tgz) can be verified", path.display()),
                format!("{}: 패키지된 차트(.tgz)만 검증할 수 있습니다", path.display()),
            )
            .hint_command(&format!("landfall package {} --sign --key NAME", path.display())));
        }
        let archive = read(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!("{name}.prov"));
        let shown = path.display().to_string();
        let provenance = std::fs::read(&beside)
            .map_err(|error| ProvenanceError::Missing(format!("{}: {error}", beside.display())));
        provenance
            .and_then(|provenance| keyring.verify(&provenance, &archive, &name))
            .map_err(|error| unverified(&shown, error))?;
        Ok(Some(Chart::load_package(&archive, &shown)?))
    }
}

impl Signing {
    /// The key that signs, with its passphrase; none where nothing is to be signed.
    pub(crate) async fn pen(self, session: &Session) -> Result<Option<Pen>> {
        let Some(key) = self.key.filter(|_| self.sign) else { return Ok(None) };
        let keyring = keyring(session, self.keyring.as_ref())?;
        let signer = keyring.signer(&key).map_err(unsigned)?;
        let passphrase = match &self.passphrase_file {
            Some(file) => first_line(file)?,
            None if !signer.is_locked() => String::new(),
            None if interactive() => {
                let question = session.say("Passphrase for", "암호문을 입력하세요:");
                ask_unseen(&format!("{question} {}: ", signer.user())).await?
            }
            None => return Err(no_passphrase(&signer.user())),
        };
        Ok(Some(Pen { keyring, key, passphrase }))
    }
}

impl Pen {
    /// The provenance file of an archive.
    pub(crate) fn sign(&self, archive: &[u8], name: &str) -> Result<String> {
        let signer = self.keyring.signer(&self.key).map_err(unsigned)?;
        signer.sign(archive, name, &self.passphrase).map_err(unsigned)
    }
}

fn keyring(session: &Session, given: Option<&PathBuf>) -> Result<Keyring> {
    let path = given.unwrap_or(&session.environment.keyring);
    let shown = path.display();
    let bytes = read(path).map_err(|failure| {
        failure.hint(
            "`gpg --export >pubring.gpg` writes the public keys that GnuPG has, `gpg --export-secret-keys >secring.gpg` \
             the secret ones; `--keyring` names the file",
            "`gpg --export >pubring.gpg`는 GnuPG의 공개 키를, `gpg --export-secret-keys >secring.gpg`는 비밀 키를 \
             파일로 내보냅니다. 그 파일을 `--keyring`으로 지정하세요",
        )
    })?;
    Keyring::read(&bytes, now()).map_err(|error| {
        Failure::told(
            Exit::Unreadable,
            format!("{shown}: {error}"),
            format!("{shown}: OpenPGP 키링으로 읽을 수 없습니다: {error}"),
        )
        .hint("`gpg --export >pubring.gpg` writes one", "`gpg --export >pubring.gpg`로 만들 수 있습니다")
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| HelmError::Io { path: path.to_owned(), source }.into())
}

fn first_line(path: &Path) -> Result<String> {
    let stdin = path.as_os_str() == "-";
    if stdin && std::io::stdin().is_terminal() {
        return Err(no_passphrase("-"));
    }
    let io = |source| HelmError::Io { path: path.to_owned(), source };
    let source: Box<dyn Read> =
        if stdin { Box::new(std::io::stdin()) } else { Box::new(std::fs::File::open(path).map_err(io)?) };
    let mut line = String::new();
    BufReader::new(source.take(LONGEST_PASSPHRASE)).read_line(&mut line).map_err(io)?;
    Ok(line.trim_end_matches('\n').trim_end_matches('\r').to_owned())
}

fn no_passphrase(of: &str) -> Failure {
    Failure::told(
        Exit::BadValue,
        format!("the key of {of} needs a passphrase, and there is nobody to ask for it"),
        format!("{of}의 키에는 암호문이 필요한데 물어볼 터미널이 없습니다"),
    )
    .hint(
        "`--passphrase-file FILE` names a file with it; with `-` it is piped in",
        "`--passphrase-file FILE`로 파일을 지정하거나, `-`로 파이프를 통해 넘기세요",
    )
}

/// A chart that `--verify` refuses.
pub(crate) fn unverified(file: &str, error: ProvenanceError) -> Failure {
    use ProvenanceError as E;
    let ko = match &error {
        E::Missing(why) => format!("출처 파일이 없습니다: {why}"),
        E::NotSigned(why) => format!("출처 파일에 서명이 없습니다: {why}"),
        E::UnknownSigner(key) => format!("서명한 키 {key}이(가) 키링에 서명용 키로 들어 있지 않습니다"),
        E::BadSignature(user) => {
            format!("{user}의 서명이 맞지 않습니다. 출처 파일이 바뀌었거나 손상되었습니다")
        }
        E::Revoked(user) => format!("{user}의 키가 폐기되었습니다"),
        E::KeyExpired(user) => format!("{user}의 키가 만료되었습니다"),
        E::SignatureExpired(user) => format!("{user}의 서명이 만료되었거나 미래의 것입니다"),
        E::NoSums(why) => format!("출처 파일이 무엇을 보증하는지 알 수 없습니다: {why}"),
        E::OtherFile { named, .. } => {
            format!("출처 파일은 이 파일이 아니라 {}을(를) 보증합니다", named.join(", "))
        }
        E::OtherHash { named, found } => format!("서명된 것은 {named}인데 이 파일은 {found}입니다"),
        other => other.to_string(),
    };
    let failure = Failure::told(Exit::Unverified, format!("{file}: {error}"), format!("{file}: {ko}"));
    match error {
        E::Missing(_) | E::NotSigned(_) => failure.hint(
            "ask whoever keeps the chart for a signed one (`landfall package --sign`); without `--verify` it is taken as it is",
            "차트를 관리하는 쪽에 서명된 것을 요청하세요(`landfall package --sign`). `--verify`를 빼면 그대로 받습니다",
        ),
        E::UnknownSigner(_) => failure.hint(
            "if you trust that key, export it with `gpg --export KEY >keys.gpg` and give `--keyring keys.gpg`",
            "그 키를 신뢰한다면 `gpg --export KEY >keys.gpg`로 내보내고 `--keyring keys.gpg`로 지정하세요",
        ),
        E::OtherFile { .. } => failure.hint(
            "the archive has to bear the name that it was signed with",
            "아카이브는 서명할 때의 이름을 그대로 가져야 합니다",
        ),
        E::Revoked(_) | E::KeyExpired(_) | E::SignatureExpired(_) => failure.hint(
            "ask the signer for a newer signature; if the key was renewed, export it again",
            "서명한 쪽에 새 서명을 요청하세요. 키가 갱신되었다면 다시 내보내세요",
        ),
        _ => failure.hint(
            "do not use this chart: fetch it anew, and ask whoever keeps it if that does not help",
            "이 차트를 쓰지 마세요. 다시 받아 보고, 그래도 같으면 차트를 관리하는 쪽에 문의하세요",
        ),
    }
}

/// A chart that could not be signed.
fn unsigned(error: ProvenanceError) -> Failure {
    use ProvenanceError as E;
    let error = match error {
        E::Chart(error) => return error.into(),
        error => error,
    };
    let ko = match &error {
        E::NoSuchKey(name) => format!("키링에 {name:?}(이)라는 키가 없습니다"),
        E::Ambiguous { name, users } => format!("{name:?}에 맞는 키가 여럿입니다: {}", users.join(", ")),
        E::NoSecret(user) => format!("키링에 {user}의 공개 키만 있습니다"),
        E::MayNotSign(user) => format!("{user}의 키는 서명용이 아닙니다"),
        E::Passphrase(user) => format!("암호문이 {user}의 키와 맞지 않습니다"),
        E::Revoked(user) => format!("{user}의 키가 폐기되었습니다"),
        E::KeyExpired(user) => format!("{user}의 키가 만료되었습니다"),
        other => other.to_string(),
    };
    let failure = Failure::told(Exit::BadValue, error.to_string(), ko);
    match error {
        E::NoSuchKey(_) | E::NoSecret(_) => failure.hint(
            "`gpg --export-secret-keys >secring.gpg` writes the secret keys; `--keyring secring.gpg` names the file",
            "`gpg --export-secret-keys >secring.gpg`로 비밀 키를 내보내고 `--keyring secring.gpg`로 지정하세요",
        ),
        E::Ambiguous { .. } => failure.hint(
            "give `--key` the whole user-id, or the fingerprint",
            "`--key`에 사용자 ID 전체나 지문을 주세요",
        ),
        _ => failure,
    }
}

//! `landfall verify --tempest`: OpenStack's own test suite, from a pod of the cloud.

use std::sync::Arc;
use std::time::Duration;

use landfall_catalog::blueprint::Text;
use landfall_proof::State;
use landfall_proof::tempest::{Test, Verdict};

use super::Args;
use super::report::{self, Row};
use super::setting::{alone, guest, open, password, stop_on_ctrl_c};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{Line, tell};
use crate::{Session, bundle, cloud, target};

const IMAGE: &str = "tempest";

pub(super) async fn run(session: &Session, args: &Args, regex: Option<&str>) -> Result {
    let cloud = cloud::wanted(session, &args.cloud, &args.asked)?;
    let target = target::connect(session).await?;
    let image = match (&args.tempest_image, target.embedded()) {
        (Some(image), _) => image.clone(),
        (None, Some(_)) => bundle::references(session)?.remove(IMAGE).unwrap_or_default(),
        (None, None) => {
            return Err(Failure::told(
                Exit::BadValue,
                "where the suite's image is, is not known",
                "테스트 스위트 이미지의 위치를 알 수 없습니다",
            )
            .hint(
                "`landfall images push REGISTRY`, then --tempest-image with the reference that it prints",
                "`landfall images push REGISTRY` 후 출력된 이름을 --tempest-image로 지정하세요",
            ));
        }
    };
    let guest = guest(session).await?;
    let cluster = Arc::clone(&target.cluster);
    let lock = alone(&cloud, &cluster).await?;
    let cancel = stop_on_ctrl_c(session, lock.lost());
    let word = format!("{:08x}", rand::random::<u32>());
    let password = password(&cloud, &*cluster).await?;
    let real = open(&cloud, cluster, guest, args, &word, &password).await?;
    let line = std::sync::Mutex::new(Line::new(session));
    let passing = |text: &str| {
        if let Ok(mut line) = line.lock() {
            line.fleeting(text);
        }
    };
    let each = |test: &Test| {
        if let Ok(mut line) = line.lock() {
            line.lasting(&shown(session, test));
        }
    };
    let outcome = real.suite(&image, regex, &password, &cancel, &passing, &each).await;
    lock.release().await;
    drop(line);
    let tests = match outcome {
        Ok(tests) => tests,
        Err(_) if cancel.is_cancelled() => return Err(Failure::silent(Exit::Stopped)),
        Err(why) => {
            return Err(Failure::told(
                Exit::CheckFailed,
                format!("the suite could not be run to its end: {why}"),
                format!("테스트 스위트를 끝까지 실행하지 못했습니다: {why}"),
            ));
        }
    };
    let count = |wanted: State| tests.iter().filter(|test| state(test) == wanted).count();
    let (passed, failed, skipped) = (count(State::Passed), count(State::Failed), count(State::Skipped));
    tell(&match session.language() {
        landfall_config::Language::En => {
            format!("tempest: {passed} passed, {failed} failed, {skipped} skipped")
        }
        landfall_config::Language::Ko => {
            format!("tempest: {passed}개 통과, {failed}개 실패, {skipped}개 건너뜀")
        }
    });
    report::give(session, &tests.iter().map(row).collect::<Vec<_>>())
}

fn state(test: &Test) -> State {
    match test.verdict {
        Verdict::Passed => State::Passed,
        Verdict::Failed => State::Failed,
        Verdict::Skipped(_) => State::Skipped,
    }
}

fn shown(session: &Session, test: &Test) -> String {
    match &test.verdict {
        Verdict::Passed => format!("✓ {} {:.1}s", test.name, test.seconds),
        Verdict::Failed => format!("✗ {} {:.1}s", test.name, test.seconds),
        Verdict::Skipped(why) => format!("- {} ({}: {why})", test.name, session.say("skipped", "건너뜀")),
    }
}

fn row(test: &Test) -> Row {
    let evidence = match &test.verdict {
        Verdict::Passed => String::new(),
        Verdict::Failed => test.details.trim().to_owned(),
        Verdict::Skipped(why) => why.clone(),
    };
    Row {
        id: test.name.clone(),
        service: IMAGE.to_owned(),
        guide: String::new(),
        title: Text::new(test.name.clone(), test.name.clone()),
        remedy: Text::new(
            "the traceback names the call that failed; `landfall logs` of that service has its side",
            "traceback에 실패한 호출이 있습니다. 해당 서비스의 `landfall logs`도 확인하세요",
        ),
        state: state(test),
        evidence,
        took: Duration::from_secs_f64(test.seconds.max(0.0)),
    }
}

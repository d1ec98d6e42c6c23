//! What the launcher, `pacemakerd`, is asked by its clients, and how it answers: pure, text in and documents out.
//!
//! It knows pings. Any other task is answered as an unknown one; a text that is no request, as unreadable.

use super::document::{Envelope, EnvelopeKind, Status};
use super::xml::Element;

/// How far the launcher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LauncherState {
    /// It has just begun.
    Init,
    /// It starts the daemons.
    StartingDaemons,
    /// It waits until somebody pings.
    WaitForPing,
    /// All daemons run.
    Running,
    /// It ends the daemons.
    ShuttingDown,
    /// The daemons have ended.
    ShutdownComplete,
}

impl LauncherState {
    const ALL: [(Self, &str); 6] = [
        (Self::Init, "init"),
        (Self::StartingDaemons, "starting_daemons"),
        (Self::WaitForPing, "wait_for_ping"),
        (Self::Running, "running"),
        (Self::ShuttingDown, "shutting_down"),
        (Self::ShutdownComplete, "shutdown_complete"),
    ];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| *name)
    }

    /// The state of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }
}

/// What a daemon answers to one request: how it takes it, and what follows as an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// For the acknowledgement.
    pub status: Status,
    /// The reply.
    pub event: Option<Element>,
}

/// What `pacemakerd` knows when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launcher {
    /// How far it is.
    pub state: LauncherState,
    /// When it was last known to be well, in seconds since 1970.
    pub last_good_s: u64,
}

impl Launcher {
    /// The name of its service, which is also whom its requests are for.
    pub const SERVICE: &str = "pacemakerd";

    /// Answers the text of a request.
    #[must_use]
    pub fn answer(&self, text: &[u8]) -> Answer {
        let request = Element::parse(text).and_then(|document| Envelope::from_element(&document));
        match request {
            Ok(request) if request.kind == EnvelopeKind::Request => self.answer_to(&request),
            _ => Answer { status: Status::PROTOCOL, event: None },
        }
    }

    fn answer_to(&self, request: &Envelope) -> Answer {
        if request.task != "ping" {
            return Answer { status: Status::UNKNOWN_TASK, event: None };
        }
        let response = Element::new("ping_response")
            .with("crm_subsystem", Self::SERVICE)
            .with("pacemakerd_state", self.state.as_str())
            .with("crm-timestamp", &self.last_good_s.to_string())
            .with("result", "ok");
        let event = Some(request.reply(response).to_element());
        Answer { status: Status::REPLY_FOLLOWS, event }
    }

    /// What a client sends to ask for the state.
    #[must_use]
    pub fn ping(from: &str, reference: &str) -> Element {
        Envelope::request("ping", Self::SERVICE, from, reference).to_element()
    }

    /// Reads the reply to a ping: nothing if it is none, or says that all is not well.
    #[must_use]
    pub fn pinged(event: &Element) -> Option<Self> {
        let reply = Envelope::from_element(event).ok()?;
        let data = reply.data.filter(|_| reply.task == "ping")?;
        let ok = data.attribute("result") == Some("ok");
        let state = LauncherState::from_name(data.attribute("pacemakerd_state")?)?;
        let last_good_s = data.attribute("crm-timestamp")?.parse().ok()?;
        ok.then_some(Self { state, last_good_s })
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Launcher, LauncherState, Status};

    const LAUNCHER: Launcher =
        Launcher { state: LauncherState::Running, last_good_s: 1_795_224_348 };

    #[test]
    fn a_ping_is_accepted_and_answered_with_state_and_time() {
        let ping = Launcher::ping("1_demo", "ping-demo-1-0").to_string();
        let Answer { status, event: Some(event) } = LAUNCHER.answer(ping.as_bytes()) else {
            panic!("an event")
        };
        assert_eq!(status, Status::REPLY_FOLLOWS);
        assert_eq!(Launcher::pinged(&event), Some(LAUNCHER));
        let text = event.to_string();
        let data = "<crm_xml><ping_response crm_subsystem=\"pacemakerd\" pacemakerd_state=\"running\" \
                    crm-timestamp=\"1795224348\" result=\"ok\"/></crm_xml></create_reply_adv>";
        assert!(text.ends_with(data), "{text}");
    }

    #[test]
    fn what_is_no_ping_gets_a_status_and_no_event() {
        let status = |text: &str| {
            let answer = LAUNCHER.answer(text.as_bytes());
            assert_eq!(answer.event, None);
            answer.status
        };
        let quit = Launcher::ping("1_demo", "r").to_string().replace("\"ping\"", "\"quit\"");
        assert_eq!(status(&quit), Status::UNKNOWN_TASK);
        assert_eq!(status("<broken"), Status::PROTOCOL);
        assert_eq!(status("<ping/>"), Status::PROTOCOL);
    }
}

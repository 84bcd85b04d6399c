//! The ports that the stack listens on: taken before anything is served, because what is served names
//! them.

use tokio::net::TcpListener;

use super::StackError;

/// Who listens on a port, and the option that names it.
pub(super) struct Door {
    who: &'static str,
    option: &'static str,
}

pub(super) const API: Door = Door {
    who: "the API",
    option: "--port",
};

pub(super) const ISSUER: Door = Door {
    who: "the issuer",
    option: "--issuer-port",
};

impl Door {
    pub(super) async fn listen(self, port: u16) -> Result<Open, StackError> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
        match bound {
            Ok((address, listener)) => Ok(Open {
                url: format!("http://{address}"),
                door: self,
                port,
                listener,
            }),
            Err(source) => Err(self.error(port, source)),
        }
    }

    fn error(self, port: u16, source: std::io::Error) -> StackError {
        let Self { who, option } = self;
        StackError::Port {
            who,
            option,
            port,
            source,
        }
    }
}

/// A port that is listened on, and by nobody served yet.
pub(super) struct Open {
    pub(super) url: String,
    door: Door,
    port: u16,
    listener: TcpListener,
}

impl Open {
    pub(super) fn serve<S>(
        self,
        start: impl FnOnce(TcpListener) -> std::io::Result<S>,
    ) -> Result<S, StackError> {
        start(self.listener).map_err(|source| self.door.error(self.port, source))
    }
}

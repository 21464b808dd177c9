//! The wire to Postgres, which can be cut and mended.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Database;

/// Stands between a store and its server.
pub struct Wire {
    whole: watch::Sender<bool>,
}

impl Wire {
    /// From now on the database is reached through this wire.
    pub async fn to(database: &mut Database) -> Self {
        let (before, rest) = database
            .address
            .rsplit_once("@127.0.0.1:")
            .expect("a server on this machine");
        let (port, name) = rest.split_once('/').expect("a port and a name");
        let server: u16 = port.parse().expect("a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        database.address = format!("{before}@127.0.0.1:{own}/{name}");
        let whole = watch::Sender::new(true);
        let state = whole.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut state = state.subscribe();
                tokio::spawn(async move {
                    // A cut wire takes nobody: the connection is closed at once.
                    if !*state.borrow() {
                        return;
                    }
                    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = state.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Self { whole }
    }

    /// Every connection breaks, and new ones do.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// New connections get through again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

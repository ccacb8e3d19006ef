//! Servers for the tests of the remote store: S3, WebDAV and the cache service
//! of GitHub Actions, each over a folder, and one that is not to be trusted.
//!
//! One listens on loopback, says its port in a line on standard output, and
//! ends when its standard input does: none outlives a test that is killed.

mod ghac;
mod s3;
mod tls;
mod webdav;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Serves a folder until standard input ends.
#[derive(Parser)]
struct Args {
    /// The port to listen on; any free one if this is 0.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What is served.
    #[arg(long)]
    dir: PathBuf,
    #[command(subcommand)]
    server: Server,
}

#[derive(Subcommand)]
enum Server {
    /// S3, with a bucket called `cachex`.
    S3 {
        #[arg(long)]
        access_key: String,
        #[arg(long)]
        secret_key: String,
    },
    /// WebDAV, for everybody or for one user.
    Webdav {
        #[arg(long, requires = "password")]
        user: Option<String>,
        #[arg(long, requires = "user")]
        password: Option<String>,
    },
    /// The cache service of GitHub Actions, in its second version.
    Ghac {
        #[arg(long)]
        token: String,
    },
    /// TLS with a certificate that nobody trusts, and nothing within.
    Tls,
}

/// What a connection may fail of.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<()> {
    let args = Args::parse();
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    // WebDAV's files are read by threads, of which a runtime has to have two.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build()?.block_on(serve(args))
}

async fn serve(args: Args) -> Result<()> {
    let address = (Ipv4Addr::LOCALHOST, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address:?}"))?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", listener.local_addr()?.port())?;
    stdout.flush()?;
    match args.server {
        Server::S3 { access_key, secret_key } => {
            answer(listener, s3::service(&args.dir, access_key, secret_key)?).await
        }
        Server::Webdav { user, password } => {
            answer(listener, webdav::service(&args.dir, user.zip(password))).await
        }
        Server::Ghac { token } => answer(listener, ghac::service(args.dir, token)).await,
        Server::Tls => tls::serve(listener).await,
    }
}

/// Serves every connection that comes.
async fn answer<S, B>(listener: TcpListener, service: S) -> Result<()>
where
    S: Service<Request<Incoming>, Response = hyper::Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Failure>,
    B: Body<Data: Send, Error: Into<Failure>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
        // A client that goes away is its own business.
        tokio::spawn(async move { drop(connection.await) });
    }
}

//! Resolution of host names within this process.
//!
//! The C library's resolver needs files beside the program, which a statically linked program in a
//! bare container may lack. It is only asked second, for names that only it knows: by mDNS, LDAP
//! and the like.

use anyhow::{Context, Result, anyhow};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::LookupIpStrategy;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns the addresses of a host, the preferred one first. An address is its own.
pub async fn addresses(host: &str) -> Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    // This needs no server (RFC 6761).
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let found = match by_itself(host).await {
        Ok(addresses) => addresses,
        Err(error) => by_the_system(host).await.map_err(|_| error)?,
    };
    if found.is_empty() { Err(anyhow!("the name `{host}` has no address")) } else { Ok(found) }
}

/// Resolves a host by `/etc/hosts` and the servers in `/etc/resolv.conf`.
async fn by_itself(host: &str) -> Result<Vec<IpAddr>> {
    let mut resolver = TokioResolver::builder_tokio().context("reading /etc/resolv.conf")?;
    // A name that has one kind of address in `/etc/hosts` is not looked up for the other kind at a
    // server, which may not answer.
    resolver.options_mut().ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
    match resolver.build()?.lookup_ip(host).await {
        Ok(found) => Ok(found.iter().collect()),
        // The library's own message is about queries.
        Err(error) if error.is_no_records_found() => Err(anyhow!("the name `{host}` is not found")),
        // One line, since a client keeps only the root cause.
        Err(error) => Err(anyhow!("the name `{host}` cannot be resolved: {error}")),
    }
}

async fn by_the_system(host: &str) -> Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((host, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// The resolver for HTTP clients.
#[cfg(feature = "http-client")]
pub struct Names;

#[cfg(feature = "http-client")]
impl reqwest::dns::Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let found = addresses(name.as_str()).await?;
            let found = found.into_iter().map(|address| std::net::SocketAddr::new(address, 0));
            Ok(Box::new(found) as reqwest::dns::Addrs)
        })
    }
}

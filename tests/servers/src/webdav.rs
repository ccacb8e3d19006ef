//! WebDAV: the folder as it is, which plain HTTP can read too.

use dav_server::DavHandler;
use dav_server::body::Body;
use dav_server::fakels::FakeLs;
use dav_server::localfs::LocalFs;
use headers::HeaderMapExt;
use headers::authorization::{Authorization, Basic};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode, header};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

/// Serves this folder, to this user alone if there is one.
pub fn service(
    folder: &Path,
    user: Option<(String, String)>,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let handler = DavHandler::builder()
        .filesystem(LocalFs::new(folder, false, false, false))
        .locksystem(FakeLs::new())
        .build_handler();
    let user = Arc::new(user);
    service_fn(move |request| {
        let (handler, user) = (handler.clone(), user.clone());
        async move {
            if user.as_ref().as_ref().is_some_and(|user| !is_from(&request, user)) {
                return Ok(unauthorized());
            }
            Ok(handler.handle(request).await)
        }
    })
}

/// Whether the request names this user and the right password.
fn is_from(request: &Request<Incoming>, (user, password): &(String, String)) -> bool {
    let given = request.headers().typed_get::<Authorization<Basic>>();
    given.is_some_and(|given| given.username() == user && given.password() == password)
}

fn unauthorized() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let challenge = header::HeaderValue::from_static("Basic realm=\"cachex\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

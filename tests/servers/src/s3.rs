//! S3: buckets are folders, objects are files, and every request is signed.

use anyhow::{Result, anyhow};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::fs;
use std::path::Path;

/// The one bucket that there is.
const BUCKET: &str = "cachex";

/// Serves this folder to who signs with these keys.
pub fn service(folder: &Path, access_key: String, secret_key: String) -> Result<S3Service> {
    fs::create_dir_all(folder.join(BUCKET))?;
    let files =
        FileSystem::new(folder).map_err(|error| anyhow!("{}: {error:?}", folder.display()))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
    Ok(builder.build())
}

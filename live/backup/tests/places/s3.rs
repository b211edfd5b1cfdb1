//! A backup on S3: SeaweedFS, as a process.

use warren_e2e::Place;

use crate::archives::lives;

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_bucket() {
    let Some(place) = Place::s3() else { return };
    lives(&serde_json::from_value(place.described.clone()).unwrap()).await;
}

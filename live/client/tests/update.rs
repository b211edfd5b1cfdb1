//! A release's manifest travels to a node and back over the onion, as it is.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use warren_client::Device;
use warren_client::vault::Cost;
use warren_crypto::minisign::ReleaseKey;
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;

const MANIFEST: &[u8] = include_bytes!("../../../spec/vectors/update/manifest.json");
const SIGNATURE: &[u8] = include_bytes!("../../../spec/vectors/update/manifest.json.minisig");
const KEY: &str = include_str!("../../../spec/vectors/update/release.pub");

#[tokio::test(flavor = "multi_thread")]
async fn a_published_manifest_is_fetched_and_believed_and_one_that_is_gone_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("net");
    let plan = Plan { nodes: 5, data, seed_port: 0, node_port: 0 };
    let network = LocalNetwork::start(&plan).await.unwrap();
    let mut device = Device::create(&folder.path().join("a"), "passphrase", Cost::LEAST).unwrap();
    device.use_seed(&network.seed().parse().unwrap()).unwrap();
    device.create_account("me", None).unwrap();
    let messenger = device.messenger(None).unwrap();

    let manifest = messenger.publish_public(MANIFEST.to_vec(), 3600).await.unwrap();
    let signature = messenger.publish_public(SIGNATURE.to_vec(), 3600).await.unwrap();
    let fetched = messenger.fetch_public(&manifest).await.unwrap();
    assert_eq!(fetched, MANIFEST);
    let signature = messenger.fetch_public(&signature).await.unwrap();
    let signature = String::from_utf8(signature).unwrap();
    let key = ReleaseKey::parse(KEY).unwrap();
    let believed = device.check_release(&fetched, &signature, &key, 1_750_000_000_000).unwrap();
    assert_eq!(believed.version, "0.2.0");

    let gone = manifest.as_str().replacen("/file/", "/file/0", 1);
    let gone = warren_message::attachment::url::FileUrl::parse(&gone).unwrap();
    assert_eq!(messenger.fetch_public(&gone).await.unwrap_err().code(), "no_answer");
}

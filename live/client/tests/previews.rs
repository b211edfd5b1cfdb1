//! Previews of links: looked up by the sender alone, shown by the receiver without asking anybody.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::CertifiedKey;
use rustls::crypto::aws_lc_rs;
use warren_client::database::{AttachmentKind, Filter};
use warren_client::vault::Cost;
use warren_client::{Delivery, Device, Draft, Messenger, PreviewSetting};
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;
use warren_transport::web::{Web, WebAccess};
use warren_wire::AccountId;

const PAGE: &str = "<!doctype html><html><head><title>Tall &amp; iron</title>
    <meta property='og:image' content='/tower.jpg'></head><body></body></html>";

/// A site on this machine, how to reach it, and how often it was asked for something.
async fn site() -> (String, Web, Arc<AtomicUsize>) {
    let names = vec!["127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
    let root = cert.der().clone();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![root.clone()], signing_key.serialize_der().try_into().unwrap())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let (page, image) = (Arc::clone(&asked), Arc::clone(&asked));
    let routes = Router::new()
        .route("/tower", get(async move || (page.fetch_add(1, Ordering::SeqCst), Html(PAGE)).1))
        .route("/empty", get(async || Html("<p>nothing")))
        .route("/tower.jpg", get(async move || (image.fetch_add(1, Ordering::SeqCst), photo()).1));
    let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(config.into()));
    tokio::spawn(server.serve(routes.into_make_service()));
    let access = WebAccess { allowed: |ip| ip.is_loopback(), proxy: None, extra_roots: vec![root] };
    (url, Web::new(access).unwrap(), asked)
}

fn photo() -> Vec<u8> {
    let mut photo = Vec::new();
    let pixels = image::DynamicImage::new_rgb8(800, 400);
    pixels.write_to(&mut Cursor::new(&mut photo), image::ImageFormat::Jpeg).unwrap();
    photo
}

struct World {
    folder: tempfile::TempDir,
    network: LocalNetwork,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("net");
        let plan = Plan { nodes: 5, data, seed_port: 0, node_port: 0 };
        Self { network: LocalNetwork::start(&plan).await.unwrap(), folder }
    }

    fn person(&self, name: &str) -> (Messenger, AccountId) {
        let home = self.folder.path().join(name);
        let mut device = Device::create(&home, "passphrase", Cost::LEAST).unwrap();
        device.use_seed(&self.network.seed().parse().unwrap()).unwrap();
        let (entry, _) = device.create_account(name, Some(name)).unwrap();
        (device.messenger(None).unwrap(), entry.id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_shown_with_title_and_image_and_only_its_sender_asks_the_site() {
    let world = World::new().await;
    let (url, web, asked) = site().await;
    let ((alice, alice_id), (bob, bob_id)) = (world.person("Alice"), world.person("Bob"));
    let text = format!("look: {url}/tower.");
    let preview = alice.preview_through(&web, &text).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let draft = Draft { preview, ..Draft::text(&text) };
    let (message, _) = alice.save_draft(&bob_id, &draft).unwrap();
    assert_eq!(alice.deliver_message(message).await.unwrap(), Delivery::Delivered);

    bob.receive().await.unwrap();
    let filter = Filter { conversation: Some(alice_id), unread: false };
    let got = bob.db().with(|db| db.messages(&filter, None, 9)).unwrap().messages.remove(0);
    let shown = got.preview.unwrap();
    assert_eq!((shown.url, shown.title), (format!("{url}/tower"), "Tall & iron".to_owned()));
    let files = bob.db().with(|db| db.attachments(got.id)).unwrap();
    assert_eq!((files.len(), files[0].about.kind), (1, AttachmentKind::Preview));
    bob.fetch_attachment(files[0].id).await.unwrap();
    let mut image = Vec::new();
    bob.open_attachment(files[0].id).unwrap().read_to_end(&mut image).unwrap();
    assert_eq!(image::load_from_memory(&image).unwrap().width(), 320);
    assert_eq!(asked.load(Ordering::SeqCst), 2, "the receiver asks nobody");

    // A page that says nothing, and none at all, keep nobody from writing.
    for text in [format!("{url}/empty"), format!("{url}/none"), "no link".to_owned()] {
        assert!(alice.preview_through(&web, &text).await.unwrap().is_none(), "{text}");
    }
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_looked_up_unless_the_owner_wants_it_and_never_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = Device::create(folder.path(), "passphrase", Cost::LEAST).unwrap();
    device.create_account("Alice", None).unwrap();
    let alice = device.messenger(None).unwrap();
    let (url, _, asked) = site().await;
    let text = format!("{url}/tower");
    assert_eq!(alice.previews().unwrap(), PreviewSetting::default());
    assert!(alice.preview_of(&text).await.unwrap().is_none());
    let proxy = Some("socks5://127.0.0.1:9050".to_owned());
    alice.set_previews(&PreviewSetting { on: true, proxy }).unwrap();
    let kept = alice.previews().unwrap();
    assert_eq!(kept.proxy.as_deref(), Some("socks5h://127.0.0.1:9050"));
    alice.set_previews(&PreviewSetting { on: true, proxy: None }).unwrap();
    assert!(alice.preview_of(&text).await.unwrap().is_none(), "an address of this machine");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let bad = PreviewSetting { on: true, proxy: Some("nonsense".to_owned()) };
    assert_eq!(alice.set_previews(&bad).unwrap_err().code(), "bad_proxy");
}

//! Who takes part, what they say to each other, and how Ada prepares.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use warren_e2e::{AtWork, Device, Disk, Network, Place, Transcript};

use crate::needles::Needles;

/// Texts that must not be found anywhere afterwards.
pub(crate) const SAID: [&str; 3] =
    ["the ledger is behind the third shelf", "take it to the harbour", "I kept a copy of it"];
/// What Ada calls Ben.
pub(crate) const NICKNAME: &str = "the archivist";
/// The file that Ada sends.
pub(crate) const FILE: &str = "ledger.bin";

/// Bytes that repeat nowhere.
pub(crate) fn file() -> Vec<u8> {
    (1_u64..)
        .flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes())
        .take(300_000)
        .collect()
}

/// Everybody and everything.
pub(crate) struct Story {
    pub(crate) network: Network,
    scratch: TempDir,
    pub(crate) phone_disk: Disk,
    pub(crate) laptop_disk: Disk,
    pub(crate) phone: AtWork,
    pub(crate) laptop: AtWork,
    pub(crate) ben: AtWork,
    /// The id of Ada's account.
    pub(crate) ada: String,
}

impl Story {
    pub(crate) async fn begin() -> Self {
        let network = Network::start(6).await;
        let seed = network.seed();
        let scratch = tempfile::tempdir().unwrap();
        let [phone_disk, laptop_disk] = [(); 2].map(|()| Disk::make(scratch.path()));
        let phone = Device::new_on(&phone_disk.folder(), &seed, "Ada").await;
        let laptop = Device::restored_on(&laptop_disk.folder(), &seed, &phone.words).await;
        let phone = AtWork::begun(phone, "Ada's phone").await;
        let laptop = AtWork::begun(laptop, "Ada's laptop").await;
        let ben = AtWork::new(&seed, "Ben").await;
        let ada = phone.id().to_owned();
        Self { network, scratch, phone_disk, laptop_disk, phone, laptop, ben, ada }
    }

    /// A message each way, a file, a nickname; both of Ada's devices have it all.
    pub(crate) async fn they_talk(&self) {
        let Self { phone, laptop, ben, ada, .. } = self;
        ben.json(&["contacts", "add", ada, "--name", "Ada"]).await;
        phone.json(&["contacts", "add", ben.id(), "--name", NICKNAME]).await;
        let path = self.outside(FILE);
        fs::write(&path, file()).unwrap();
        phone.json(&["send", ben.id(), SAID[0]]).await;
        phone.json(&["send", ben.id(), "--file", path.to_str().unwrap(), SAID[1]]).await;
        self.are_seen(&[ben], ada, 2).await;
        ben.json(&["send", ada, SAID[2]]).await;
        self.are_seen(&[phone, laptop], ben.id(), 3).await;
        laptop.until_is(&format!("contacts/{}", ben.id()), "/name", NICKNAME).await;
        for device in [phone, laptop] {
            assert!(the_file_on(device, ben.id()).await == file(), "{}", device.what());
        }
    }

    async fn are_seen(&self, devices: &[&AtWork], conversation: &str, count: usize) {
        let names = |id: &Value| if id == self.ada.as_str() { "Ada" } else { "Ben" }.to_owned();
        let lines: Vec<String> = lines().into_iter().take(count).collect();
        for device in devices {
            Transcript::becomes(device, conversation, &names, &lines).await;
        }
    }

    /// Five shares, three of which bring the words back.
    pub(crate) async fn the_phrase_is_split(&self) -> Vec<String> {
        let split = ["shares", "split", "--threshold", "3", "--shares", "5"];
        let split = self.laptop.json(&split).await;
        let shares = split["shares"].as_array().unwrap();
        shares.iter().map(|share| share["words"].as_str().unwrap().to_owned()).collect()
    }

    /// To each place, and every byte of it is looked at again.
    pub(crate) async fn back_up(&self, places: &[(&str, &Place)]) {
        for (name, place) in places {
            let description = self.outside("place.json");
            fs::write(&description, place.described.to_string()).unwrap();
            let init = ["backup", "init", "--backup", name, "--place"];
            self.laptop.json(&[&init[..], &[description.to_str().unwrap()]].concat()).await;
            self.laptop.json(&["backup", "run", "--backup", name]).await;
            let verify = ["backup", "verify", "--bytes", "--backup", name];
            assert_eq!(self.laptop.json(&verify).await["good"], true);
        }
    }

    /// Ben alone is enough. He tries it, and the laptop goes on.
    pub(crate) async fn ben_is_trusted_with_the_laptop(&self) {
        let Self { laptop, ben, ada, .. } = self;
        laptop.json(&["friends", "trust", ben.id(), "--device", "laptop"]).await;
        let held = async |ben: &AtWork| first(ben, "/devices/0/owner").await;
        assert_eq!(ben.until("Ben holds what wipes the laptop", held).await, ada.as_str());
        let taken = async |laptop: &AtWork| {
            let state = first(laptop, "/sets/0/friends/0/state").await;
            (state? == "taken").then_some(())
        };
        laptop.until("the laptop heard that he does", taken).await;
        ben.json(&["friends", "test", ada]).await;
        let heard = async |ben: &AtWork| first(ben, "/devices/0/heard_at").await;
        ben.until("the laptop heard the test", heard).await;
    }

    /// What must not be found once the devices were wiped.
    pub(crate) fn needles(&self) -> Needles {
        Needles::of(self.phone.words(), [&self.phone, &self.laptop].map(AtWork::home))
    }

    /// Before anything is wiped: the search finds the slots, and nothing that can be read.
    pub(crate) fn both_disks_are_sealed(&self, needles: &Needles) {
        for disk in [&self.phone_disk, &self.laptop_disk] {
            let image = disk.read();
            assert_eq!(
                needles.secrets_on(&image),
                Vec::<String>::new(),
                "nothing readable ever is"
            );
            assert!(needles.slots_on(&image) > 0, "the slots lie on the disk");
        }
    }

    /// A file on no disk of Ada's.
    fn outside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

/// A part of what `warren friends list` says, where it is there.
async fn first(device: &AtWork, pointer: &str) -> Option<Value> {
    let listed = device.json(&["friends", "list"]).await;
    listed.pointer(pointer).filter(|value| !value.is_null()).cloned()
}

/// What everybody sees of the conversation.
pub(crate) fn lines() -> Vec<String> {
    let with_file = format!("Ada: {} [file {FILE}]", SAID[1]);
    vec![format!("Ada: {}", SAID[0]), with_file, format!("Ben: {}", SAID[2])]
}

/// The file, as a device hands it out.
pub(crate) async fn the_file_on(device: &AtWork, conversation: &str) -> Vec<u8> {
    let message = Transcript::of(device, conversation).await;
    let number = message.called(SAID[1])["message_id"].to_string();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    device.json(&["files", "get", &number, "--out", folder]).await;
    fs::read(out.path().join(FILE)).unwrap()
}

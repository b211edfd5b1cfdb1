//! Published vectors of updates and conflicts (libsession's test_configdata and config-merge-logic).

use super::*;
use crate::base::resolve::{Resolution, resolve};

fn merge(messages: &[&[u8]]) -> Message {
    let read: Vec<Message> = messages.iter().map(|bytes| read(bytes)).collect();
    match resolve(&read.iter().collect::<Vec<_>>(), true) {
        Some(Resolution::Merged(mut message)) => {
            message.rehash(None).unwrap();
            *message
        }
        Some(Resolution::One(index)) => read[index].clone(),
        None => panic!("no message"),
    }
}

const H119: &str = "43094f68c1faa37eff79e1c2f3973ffd5f9d6423b00ccda306fc6e7dac5f0c44";
const H120: &str = "e3a237f91014d31e4d30569c4a8bfcd72157804f99b8732c611c48bf126432b5";
const H121: &str = "1a7f602055124deaf21175ef3f32983dee7c9de570e5d9c9a0bbc2db71dcb97f";
const H122: &str = "46560604fe352101bb869435260d7100ccfe007be5f741c7e96303f02f394e8a";
const H123: &str = "d9398c597b058ac7e28e3febb76ed68eb8c5b6c369610562ab5f2b596775d73c";
const H124: &str = "8b73f316178765b9b3b37168e865c84bb5a78610cbb59b84d0fa4d3b4b3c102b";
const H124_BARE: &str = "3ea36410cf7086ce816eb193b0c94e88632abfb75771d82f8ddb3a909124c580";
const H125A: &str = "80f229c3667de6d0fa6f96b53118e097fbda82db3ca1aea221a3db91ea9c45fb";
const H125B: &str = "ab12f0efe9a9ed00db6b17b44ae0ff36b9f49094077fb114f415522f2a0e98de";

fn hashes() -> Vec<(&'static str, [u8; 32])> {
    vec![
        ("119", hash(H119)),
        ("120", hash(H120)),
        ("121", hash(H121)),
        ("122", hash(H122)),
        ("123", hash(H123)),
        ("124", hash(H124)),
        ("125a", hash(H125A)),
        ("125b", hash(H125B)),
    ]
}

fn data118() -> Dict {
    dict([
        (
            "dictB",
            nested([
                ("changed", (-1).into()),
                ("foo", 123.into()),
                ("removed", "x".into()),
                ("removed2", "y".into()),
            ]),
        ),
        ("dictC", nested([("x", nested([("y", 1.into())]))])),
        ("good", set([99.into(), 456.into(), "bar".into()])),
        ("great", set([(-42).into(), "omg".into()])),
        ("int0", (-9999).into()),
        ("int1", 100.into()),
        ("string1", "hello".into()),
        ("string2", "goodbye".into()),
    ])
}

fn message123() -> Vec<u8> {
    message(
        &[
            "d1:#i123e1:&d5:dictBd7:changedi-1e3:fooi123e7:removed1:x8:removed21:ye",
            "5:dictCd1:xd1:yi1eee4:goodli99ei456e3:bare5:greatli-42e3:omge",
            "4:int1i1e4:int2i2e7:string15:hello7:string27:goodbyee",
            "1:<lli119e{119}deeli120e{120}deeli121e{121}deeli122e{122}deee",
            "1:=d4:int01:-4:int10:4:int20:ee",
        ],
        &hashes(),
    )
}

#[test]
fn an_ordinary_update_has_the_published_bytes() {
    let mut message = fresh(118, data118());
    for expected in [H119, H120, H121, H122] {
        message = next(&message);
        assert_eq!(hash_of(&mut message), hash(expected));
    }
    let mut message = next(&message);
    put(&mut message.data, "int1", 1);
    put(&mut message.data, "int2", 2);
    message.data.remove(b"int0".as_slice());
    put(&mut message.data, "string1", "hello");
    assert_eq!(text(&write(&mut message)), text(&message123()));
    assert_eq!(hash_of(&mut message), hash(H123));
}

#[test]
fn a_message_is_read_back() {
    let message = read(&message123());
    assert_eq!((message.seqno, message.hash), (123, hash(H123)));
    let changes =
        [("int0", Change::Removed), ("int1", Change::Assigned), ("int2", Change::Assigned)];
    assert_eq!(message.diff, diff(changes));
    let mut expected = data118();
    put(&mut expected, "int1", 1);
    put(&mut expected, "int2", 2);
    expected.remove(b"int0".as_slice());
    assert_eq!(message.data, expected);
    let mut following = next(&message);
    assert_eq!(following.seqno, 124);
    assert_eq!(hash_of(&mut following), hash(H124_BARE));
}

fn update124(message: &mut Message) {
    let data = &mut message.data;
    let goodbye = set([123.into(), 456.into()]);
    put(data, "dictA", nested([("hello", 123.into()), ("goodbye", goodbye)]));
    data.remove(b"dictC".as_slice());
    put(data, "int1", 42);
    data.remove(b"string1".as_slice());
    put(data, "string2", "hello");
    put(data, "string3", "omg");
    data.remove(b"great".as_slice());
    let good = inner_set(data, "good");
    good.extend(["Foo".into(), 123.into()]);
    good.remove(&456.into());
    let dict = inner(message, "dictB");
    put(dict, "changed", 1);
    put(dict, "added", 9999);
    put(dict, "nested", nested([("a", 1.into())]));
    dict.remove(b"removed".as_slice());
    dict.remove(b"removed2".as_slice());
}

fn message124() -> Message {
    let mut message = next(&read(&message123()));
    update124(&mut message);
    message
}

const DIFF124: &str = "d5:dictAd7:goodbyelli123ei456eelee5:hello0:e\
    5:dictBd5:added0:7:changed0:6:nestedd1:a0:e7:removed1:-8:removed21:-e\
    5:dictCd1:xd1:y1:-ee4:goodlli123e3:Fooeli456eee5:greatlleli-42e3:omgee\
    4:int10:7:string11:-7:string20:7:string30:e";

#[test]
fn a_large_update_has_the_published_bytes() {
    let mut message124 = message124();
    let expected = message(
        &[
            "d1:#i124e1:&d5:dictAd7:goodbyeli123ei456ee5:helloi123ee",
            "5:dictBd5:addedi9999e7:changedi1e3:fooi123e6:nestedd1:ai1eee",
            "4:goodli99ei123e3:Foo3:bare4:int1i42e4:int2i2e7:string25:hello7:string33:omge",
            "1:<lli120e{120}deeli121e{121}deeli122e{122}dee",
            "li123e{123}d4:int01:-4:int10:4:int20:eee1:=",
            DIFF124,
            "e",
        ],
        &hashes(),
    );
    assert_eq!(text(&write(&mut message124)), text(&expected));
    assert_eq!(hash_of(&mut message124), hash(H124));
}

fn conflict() -> (Message, Message) {
    let parent = message124();
    let (mut a, mut b) = (next(&parent), next(&parent));
    inner(&mut a, "dictB").remove(b"foo".as_slice());
    put(&mut b.data, "int1", 5);
    assert_eq!(hash_of(&mut a), hash(H125A));
    assert_eq!(hash_of(&mut b), hash(H125B));
    (a, b)
}

/// Written by somebody who missed everything since 118.
fn too_old() -> Vec<u8> {
    let mut message = next(&next(&fresh(118, Dict::new())));
    put(&mut message.data, "too old", "won't see");
    write(&mut message)
}

#[test]
fn a_simple_conflict_resolves_to_the_published_message_in_any_order() {
    let (mut a, mut b) = conflict();
    let (a, b, parent) = (write(&mut a), write(&mut b), write(&mut message124()));
    let expected = message(
        &[
            "d1:#i126e1:&d5:dictAd7:goodbyeli123ei456ee5:helloi123ee",
            "5:dictBd5:addedi9999e7:changedi1e6:nestedd1:ai1eee",
            "4:goodli99ei123e3:Foo3:bare4:int1i5e4:int2i2e7:string25:hello7:string33:omge",
            "1:<lli122e{122}deeli123e{123}d4:int01:-4:int10:4:int20:eeli124e{124}",
            DIFF124,
            "eli125e{125a}d5:dictBd3:foo1:-eeeli125e{125b}d4:int10:eee1:=dee",
        ],
        &hashes(),
    );
    for order in [
        vec![&a[..], &b],
        vec![&b, &a],
        vec![&parent, &b, &a],
        vec![&b, &a, &parent],
        vec![&b, &too_old(), &a],
        vec![&a, &b, &a, &b],
    ] {
        assert_eq!(text(&write(&mut merge(&order))), text(&expected));
    }
}

#[test]
fn a_conflict_of_conflicts_resolves_to_the_published_message() {
    let message123 = read(&message123());
    let mut m124a = next(&message123);
    put(inner(&mut m124a, "dictB"), "foo", 66);
    put(inner(&mut m124a, "dictB"), "answer", 42);
    let (mut a, mut b) = conflict();
    let (a, b, m124a) = (write(&mut a), write(&mut b), write(&mut m124a));
    let mut m126a = merge(&[&a, &b]);
    let old = too_old();
    let mut m126b = merge(&[&b, &m124a, &a, &self::message123(), &old]);
    let joined = merge(&[&write(&mut m126a), &write(&mut m126b)]);
    let base = joined.data.clone();
    let mut joined = joined.into_changing(base);
    inner_set(inner(&mut joined, "dictA"), "goodbye").insert(789.into());
    assert_eq!(joined.seqno, 127);
    let mut hashes = hashes();
    hashes.extend([("124a", read(&m124a).hash), ("126a", m126a.hash), ("126b", m126b.hash)]);
    let expected = message(
        &[
            "d1:#i127e1:&d5:dictAd7:goodbyeli123ei456ei789ee5:helloi123ee",
            "5:dictBd5:addedi9999e6:answeri42e7:changedi1e6:nestedd1:ai1eee",
            "4:goodli99ei123e3:Foo3:bare4:int1i5e4:int2i2e7:string25:hello7:string33:omge",
            "1:<lli123e{123}d4:int01:-4:int10:4:int20:ee",
            "li124e{124a}d5:dictBd6:answer0:3:foo0:eeeli124e{124}",
            DIFF124,
            "eli125e{125a}d5:dictBd3:foo1:-eeeli125e{125b}d4:int10:ee",
            "li126e{126a}deeli126e{126b}deee1:=d5:dictAd7:goodbyelli789eeleeeee",
        ],
        &hashes,
    );
    let written = write(&mut joined);
    assert_eq!(text(&written), text(&expected));
    assert_eq!(merge(&[&written, &a, &write(&mut m126b)]).hash, hash_of(&mut joined));
}

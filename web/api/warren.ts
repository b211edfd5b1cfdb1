// What the local API takes and gives. Written by `cargo xtask generate` from
// docs/api/openapi.json: do not edit.
/** An account on this device. */
export type Account = {
  /** Its id, 66 hexadecimal digits. */
  account_id: string;
  /** When it came onto this device. */
  created: number;
  /** What the people it writes to are told; absent where they are told nothing. */
  display_name?: string | null;
  /** What it is called here. */
  name: string;
  /** How soon its owner wants to hear of new messages. */
  notifications: NotificationMode;
};
/** What changes of an account; what is absent stays. */
export type AccountChange = {
  /** Its name on this device. */
  name?: string | null;
  notifications?: (NotificationMode | null);
};
/** The accounts on this device, in the order they came. */
export type Accounts = {
  /** The accounts. */
  accounts: Array<Account>;
};
/** A wipe that waits for its second step. */
export type AnnouncedWipe = {
  /** What the second step takes. */
  code: string;
  /** The shares it would reveal, all of one device. */
  devices: Array<HeldDevice>;
  /** Until when it takes it. */
  valid_until: number;
};
/** Messages in the order in which they came onto this device. */
export type Arrived = {
  /** The number of the message that came last of all; 0 where there is none. */
  last: number;
  /** The messages, oldest first. */
  messages: Array<Message>;
};
/** Friends who are asked for shares, and of what. */
export type Asking = {
  /** The Account IDs of the friends. */
  friends: Array<string>;
  /** The Account ID that was lost. */
  lost: string;
};
/** When the daemon locks by itself; what is absent stays. */
export type AutoLockChange = {
  /** After so many seconds without a request that needs keys; 0 for never. */
  idle_seconds?: number | null;
  /** Once the machine slept. */
  on_suspend?: boolean | null;
};
/** A backup that is set up. */
export type Backup = {
  /** Which accounts are in it; absent for all, also those to come. */
  accounts?: Array<string> | null;
  /** How often the daemon makes one; absent for never. */
  every_seconds?: number | null;
  /** Which snapshots a prune keeps. */
  keep: Keep;
  /** The account whose recovery words open it. */
  key_account: string;
  /** When the last one was made. */
  last_at?: number | null;
  /** Its snapshot. */
  last_snapshot?: string | null;
  /** What it is called here. */
  name: string;
  /** Where it lies, for a person: without what opens the place. */
  place: string;
};
/** A snapshot. */
export type BackupSnapshot = {
  /** How many bytes these are. */
  bytes?: number | null;
  /** When it was made, where it can be read. */
  created?: number | null;
  /** Why it cannot be read. */
  error?: string | null;
  /** Its name. */
  name: string;
  /** Its number. */
  number?: number | null;
  /** How many parts there are in it. */
  parts?: number | null;
};
/** The backups that are set up. */
export type Backups = {
  /** By name. */
  backups: Array<Backup>;
};
/** Whether this machine takes part. */
export type Binding = {
  /** Whether it is to work with this machine's TPM alone. */
  bound: boolean;
  /** The present code. */
  code: string;
};
/** What is to be backed up. */
export type Border = {
  /** Which backups; all that are set up where none are named. Each must succeed. */
  backups?: Array<string> | null;
  /** Accounts, by name or id, that are in none of them and are to be destroyed nevertheless. */
  without?: Array<string>;
};
/** What came back of an account, and was here as well. */
export type BorderAccount = {
  /** Which. */
  account_id: string;
  /** Which of its words to ask for, counted from 1. */
  ask: Array<number>;
  /** The backups it is in. */
  backups: Array<string>;
  /** People who are known. */
  contacts: number;
  /** Conversations, with people and in groups. */
  conversations: number;
  /** Bytes of these. */
  file_bytes: number;
  /** Files that could be opened. */
  files: number;
  /** Messages in them. */
  messages: number;
  /** What it is called here. */
  name: string;
  /** Its recovery words open one of the backups, so they must be known. */
  opens: boolean;
};
/** Where a backup lies. */
export type BorderPlace = {
  /** What it is called here. */
  backup: string;
  /** How many bytes they are. */
  bytes: number;
  /** What is to be carried beside the recovery words: fields of that file. */
  carry: Array<string>;
  /** What to type on the other side. */
  command: string;
  /** When it was made. */
  created: number;
  /** The account whose recovery words open it. */
  key_account: string;
  /** How many parts came back. */
  parts: number;
  /** Where, for a person: without what opens the place. */
  place: string;
  /** What the file that the command names must say, with three dots for what is to be carried. */
  place_file?: string | null;
  /** It lies on the disk that this home is on, which may cross the border, too. */
  same_disk: boolean;
  /** The snapshot that came back whole. */
  snapshot: string;
};
/** What is in the backups, and what it takes to come back from them. */
export type BorderReport = {
  /** What is in them. */
  accounts: Array<BorderAccount>;
  /** Accounts that are in none of them. */
  lost: Array<LostAccount>;
  /** Where the backups lie. Each was brought back whole. */
  places: Array<BorderPlace>;
};
/** Where a signed manifest lies. */
export type CheckUpdate = {
  /** The address of the manifest at a file server. */
  from: string;
  /** The address of its signature. */
  signature: string;
};
/** What opens a locked home. */
export type CodeGiven = {
  /** The code: PIN, passphrase, or pattern as `3x3:1-2-3-6-9`. */
  code: string;
};
/** The second step of a wipe. */
export type ConfirmedWipe = {
  /** The code of the first. */
  code: string;
};
/** A person an account knows. */
export type Contact = {
  /** Their Account ID. */
  account_id: string;
  /** Whether the owner wants their messages. */
  approved: boolean;
  /** Whether nothing of theirs is kept. */
  blocked: boolean;
  /** What they call themselves, as anybody could; absent where they never said. */
  calls_themselves?: string | null;
  /** What the owner of the account calls them. */
  name?: string | null;
  /** Where their picture is; another one means that it changed. Absent where they have none. What it
   * shows, `pictures` says once it was fetched. */
  picture?: string | null;
};
/** What changes of a contact; what is absent stays. */
export type ContactChange = {
  /** Whether the owner wants their messages. */
  approved?: boolean | null;
  /** Whether nothing of theirs is kept. A stranger may be blocked, too. */
  blocked?: boolean | null;
  /** What the owner of the account calls them. */
  name?: string | null;
};
/** What a contact is to be called. */
export type ContactName = {
  /** What the owner of the account calls them. No two contacts share one. */
  name: string;
};
/** Contacts, by the name that is shown. */
export type Contacts = {
  /** The contacts. */
  contacts: Array<Contact>;
};
/** A conversation, as the list shows it. */
export type Conversation = {
  /** Whether it is put away. */
  archived: boolean;
  /** The other side: a person, a group, or the account itself for notes to oneself. */
  conversation: string;
  /** When it came to be on this device. */
  created: number;
  /** What the owner began to write. */
  draft: string;
  expiry?: (Expiry | null);
  /** Whether it comes from somebody the owner has not accepted. */
  is_request: boolean;
  /** The newest message; absent where there is none. */
  last_message_id?: number | null;
  /** The timestamp of the newest message the owner has seen, on whichever device. */
  last_read: number;
  /** Its time; where there is none, that of the last one there was. */
  last_timestamp: number;
  /** Whether the owner marked it as unread. */
  marked_unread: boolean;
  /** How many of these name the owner. */
  mentioned: number;
  /** Until when nothing of it is told; 9007199254740991 means for ever. */
  muted_until: number;
  /** What is told of it otherwise. */
  notify: Notify;
  /** Above 0 where it is pinned, the greatest first; below 0 where it is hidden. */
  priority: number;
  /** How many messages of others the owner has not seen. */
  unread: number;
};
/** What the owner sets for a conversation; what is absent stays. */
export type ConversationChange = {
  /** Puts it away, or back. */
  archived?: boolean | null;
  /** What the owner began to write. */
  draft?: string | null;
  /** Marks it as unread, whatever was read. */
  marked_unread?: boolean | null;
  /** Nothing is told of it until then; 0 ends that. */
  muted_until?: number | null;
  notify?: (Notify | null);
  /** Above 0 pins it, below 0 hides it. */
  priority?: number | null;
};
/** Conversations: pinned ones, then the one with the newest message first. */
export type Conversations = {
  /** The conversations. */
  conversations: Array<Conversation>;
  /** What `after` must be for the next page; absent where this was the last. */
  next?: string | null;
};
/** A report, as a list shows it. */
export type CrashLine = {
  /** Its number. */
  number: number;
  /** Where in the source; absent where the report is damaged. */
  place?: string | null;
};
/** A report: all that is kept of a fault. */
export type CrashReport = {
  /** The functions that were at work, the innermost first. */
  functions: Array<string>;
  /** The kind of machine. */
  machine: string;
  /** What the fault said, where that is a literal of the source; else how long it was. */
  message: string;
  /** Its number. */
  number: number;
  /** Where in the source. */
  place: string;
  /** The report as it lies on the disk, and as it would be given to somebody. */
  text: string;
  /** The version of the program. */
  version: string;
};
/** The reports of a home. */
export type CrashReports = {
  /** By number. */
  reports: Array<CrashLine>;
};
/** An account, and the recovery words that are the account. */
export type CreatedAccount = {
  /** The account. */
  account: Account;
  /** Thirteen words. Whoever has them has the account. */
  mnemonic: string;
};
/** What it takes to wipe. */
export type Cross = {
  /** The word `wipe`. */
  confirm: string;
  /** Go on where the network cannot be reached. */
  even_offline?: boolean;
  /** Also what the network keeps. Mail that came since the backup is lost then. */
  network?: boolean;
  /** For each account whose words open a backup, those that the report asks for. */
  words?: Record<string, unknown> | null;
  /** Somebody says that they have them, and none are asked for. */
  words_known?: boolean;
};
/** How the daemon is. */
export type Daemon = {
  /** How many accounts are at work. */
  accounts: number;
  /** Whether the keys are out of memory. */
  locked: boolean;
  /** Its process. */
  pid: number;
  /** The program's version. */
  version: string;
};
/** A part that would not come back. */
export type DamagedPart = {
  /** What it is of: `device`, `account` or `file`. */
  kind: string;
  /** Which. */
  name: string;
  /** Of which snapshot. */
  snapshot: string;
};
/** The dead man's switch of this device. */
export type DeadMan = {
  /** After how many hours without unlocking the device is wiped; 0 for never. Whoever looks into
   * the device's files can read it, also while it is locked. */
  hours: number;
};
/** How far a message got. */
export type DeliveryReport = {
  /** Why it waits or failed. */
  reason?: string | null;
  /** How far. */
  state: MessageState;
};
/** How far a message of one's own got. */
export type DeliveryState = "waiting" | "delivered" | "failed";
/** Who said it. */
export type Direction = "incoming" | "outgoing";
/** What a duress code does beyond this device. */
export type DuressSet = {
  /** How many other devices it wipes. */
  devices: number;
  /** How many mailboxes it empties. */
  mailboxes: number;
};
/** The body of every answer whose status is 400 or above. */
export type ErrorBody = {
  /** What went wrong. */
  error: ErrorText;
};
/** What went wrong. */
export type ErrorText = {
  /** A name for programs, which stays the same where the words change. */
  code: string;
  /** The reason and what to do, for people. */
  message: string;
};
/** What changed. Conversations are named by the other side: a person, a group, or the account
 * itself for notes to oneself. */
export type Event = ({
  /** Where. */
  conversation: string;
  event: "message_new";
  /** Which. */
  message_id: number;
} | {
  /** Where. */
  conversation: string;
  event: "message_changed";
  /** Which. */
  message_id: number;
} | {
  /** Where. */
  conversation: string;
  event: "message_deleted";
  /** Which. */
  message_id: number;
} | {
  /** Which. */
  conversation: string;
  event: "conversation_changed";
} | {
  /** Whom. */
  contact: string;
  event: "contact_changed";
} | {
  /** Who. */
  author: string;
  /** Where. */
  conversation: string;
  event: "typing";
  /** Whether they type. */
  typing: boolean;
} | {
  /** Where. */
  conversation: string;
  event: "delivery";
  /** Which. */
  message_id: number;
  /** How far. */
  state: DeliveryState;
} | {
  /** Bytes that are there. */
  done: number;
  event: "transfer";
  /** Whose attachment. */
  message_id: number;
  /** Which of the message's, from 0. */
  position: number;
  /** All its bytes. */
  total: number;
} | {
  /** Bytes done. */
  done: number;
  event: "work";
  /** Whether it goes on. */
  running: boolean;
  /** Bytes in all; 0 where nobody knows. */
  total: number;
} | {
  /** It does. */
  connected: boolean;
  event: "network";
} | {
  event: "account_changed";
} | {
  event: "locked";
} | {
  event: "missed";
});
/** How long messages live. */
export type Expiry = {
  /** From when on. */
  mode: ExpiryMode;
  /** For how many seconds. */
  seconds: number;
};
/** From when on the time of a disappearing message runs. */
export type ExpiryMode = "after_read" | "after_send";
/** A file of a message. */
export type File = {
  /** What stands under it. */
  caption?: string | null;
  /** How long it plays, in milliseconds. */
  duration?: number | null;
  /** Why it failed. */
  failure?: string | null;
  /** Its number on this device. */
  file_id: number;
  /** Whether a small picture of it is here. */
  has_thumbnail: boolean;
  /** In pixels. */
  height?: number | null;
  /** What it is to the message. */
  kind: FileKind;
  /** Its media type, as its author says. */
  media_type: string;
  /** The number of its message. */
  message_id: number;
  /** Its name, as its author says. It may hold anything. */
  name?: string | null;
  /** Its place among the message's files, from 0. */
  position: number;
  /** How many bytes of it are through. */
  progress: number;
  /** How many bytes it holds, as its author says. */
  size: number;
  /** How far it got. */
  state: FileState;
  /** In pixels. */
  width?: number | null;
};
/** What a file is to its message. */
export type FileKind = "file" | "image" | "video" | "voice" | "preview" | "quote_thumbnail";
/** How far a file got. */
export type FileState = "offered" | "downloading" | "here" | "failed" | "uploading" | "expired";
/** Whom a text means. */
export type Found = {
  /** Their Account ID. */
  account_id: string;
  contact?: (Contact | null);
  /** The name of a group, as its admins call it; absent for a person. */
  group?: string | null;
};
/** Whether a friend can wipe. */
export type FriendState = "offered" | "taken" | "declined";
/** Who can wipe this device, and which devices of others can be wiped from here. */
export type Friends = {
  /** Shares for devices of others, by owner and device. */
  devices: Array<HeldDevice>;
  /** Sets of friends who can wipe this device, the newest first. */
  sets: Array<TrustedSet>;
};
/** What shares give, once there are enough. */
export type Gathered = {
  /** The account they bring back; absent while there are too few. */
  account_id?: string | null;
  /** How many shares there are. */
  have: number;
  /** Which shares, from 1, do not go with those that gave the words: somebody altered them. */
  misfits: Array<number>;
  /** Its recovery words; absent while there are too few. */
  mnemonic?: string | null;
  /** How many it takes. */
  need: number;
  /** The two words that each share of the set begins with. */
  set: string;
};
/** How many shares were given back. */
export type GaveBack = {
  /** How many. */
  shares: number;
};
/** Whose shares are given to whoever asked. */
export type GiveBack = {
  /** The Account ID whose shares these are. To be sure that the asker is that person, by voice or in
   * person, is up to whoever sends this. */
  owner: string;
};
/** A share that a friend was handed. */
export type GivenShare = {
  /** The friend's Account ID. */
  friend: string;
  /** When it was handed out. */
  given_at: number;
  /** When the friend's app said that it keeps it; absent where it has not said so. */
  kept_at?: number | null;
  /** Which of the set, from 1. */
  number: number;
  /** The two words that name its set. */
  set: string;
  /** How many of the set bring the recovery words back. */
  threshold: number;
};
/** Shares that came together. */
export type GivenShares = {
  /** The words of each. */
  shares: Array<string>;
};
/** Words of an account. */
export type GivenWords = {
  /** Whose. */
  account_id: string;
  /** Those that the report asks for, in its order. */
  words: Array<string>;
};
/** A group, as the account knows it. */
export type Group = {
  /** Whether the account is one of its admins. */
  admin: boolean;
  /** When it was made; absent where that is not known yet. */
  created?: number | null;
  /** What it is about; absent where nobody said. */
  description?: string | null;
  /** Its id, 66 hexadecimal digits that start with 03. */
  group_id: string;
  /** Who invited the account. */
  invited_by?: string | null;
  /** What its admins call it. */
  name: string;
  /** Where its picture is; another one means that it changed. Absent where it has none. What it
   * shows, `pictures` says once it was fetched. */
  picture?: string | null;
  /** How the account stands to it. */
  state: GroupState;
  /** After how many seconds its messages disappear; absent where they stay. */
  timer?: number | null;
};
/** What changes of a group; what is absent stays. Admins alone can. */
export type GroupChange = {
  /** What it is about; an empty text says nothing. */
  description?: string | null;
  /** What it is called. */
  name?: string | null;
  /** After how many seconds its messages disappear; 0 lets them stay. */
  timer?: number | null;
};
/** How an account stands to a group. */
export type GroupState = "invited" | "joined" | "removed" | "ended" | "left";
/** Groups by their names. */
export type Groups = {
  /** The groups. */
  groups: Array<Group>;
};
/** What a guess costs. */
export type GuessCost = {
  /** Argon2id's memory in KiB. */
  memory_kib: number;
  /** Argon2id's passes. */
  passes: number;
  /** How long one took here, in milliseconds. */
  time: number;
};
/** How a recovery phrase is to be split among friends. */
export type HandOut = {
  /** The Account IDs of the friends, each of whom is handed one share. */
  friends: Array<string>;
  /** How many friends together bring it back, at least 2. */
  threshold: number;
};
/** A file that waits for its message. */
export type HandedIn = {
  /** What a new message names it by, within a week. */
  draft_id: number;
  /** Its media type. */
  media_type: string;
  /** How many bytes of it will be sent. */
  size: number;
};
/** A share for a device of somebody else, or for another device of this account. */
export type HeldDevice = {
  /** How many friends have a share. */
  count: number;
  /** What they call the device. */
  device: string;
  /** When the device last heard one, by its own word; absent where it has not said so. */
  heard_at?: number | null;
  /** Which of the set, from 1. */
  number: number;
  /** When its wipe was ordered; absent where it was not, or the order is repeated no more. */
  ordered_at?: number | null;
  /** Until when the order is repeated. */
  ordered_until?: number | null;
  /** The owner's Account ID. */
  owner: string;
  /** When it came. */
  received_at: number;
  /** The set of the share. */
  set: string;
  /** When a test was last sent; absent where none was. */
  test_sent_at?: number | null;
  /** How many friends together wipe the device. */
  threshold: number;
};
/** A share of somebody else's recovery words that is kept here. */
export type HeldShare = {
  /** Which of the set, from 1. */
  number: number;
  /** Whose recovery words they are: an Account ID. */
  owner: string;
  /** When it came. */
  received_at: number;
  /** The two words that name its set. */
  set: string;
  /** How many of the set bring the recovery words back. */
  threshold: number;
};
/** The shares that are kept for others. */
export type HeldShares = {
  /** The shares. */
  shares: Array<HeldShare>;
};
/** A message that was found. */
export type Hit = {
  /** The message. */
  message: Message;
  /** The part of it, or of its files' names, where it was found: U+FDD0 stands before what was
   * looked for and U+FDD1 behind it. */
  snippet: string;
};
/** Messages that were found. */
export type Hits = {
  /** The messages, in the order asked for. */
  hits: Array<Hit>;
  /** What `after` must be for the next page; absent where this was the last. */
  next?: number | null;
};
/** A node, as its list names it. */
export type Hop = {
  /** Its address. */
  ip: string;
  /** Its key, 64 hexadecimal digits. */
  node_id: string;
  /** Its port. */
  port: number;
  /** Which swarm it belongs to, 16 hexadecimal digits. */
  swarm_id: string;
};
/** People to be invited. */
export type Invitation = {
  /** Whether they may read what was said before. */
  history?: boolean;
  /** Their Account IDs. */
  people: Array<string>;
};
/** Which snapshots a prune keeps. */
export type Keep = {
  /** One a day, of so many days. */
  daily: number;
  /** How many of the newest. */
  last: number;
  /** One a month, of so many months. */
  monthly: number;
  /** One a week, of so many weeks. */
  weekly: number;
};
/** What a message holds. */
export type Kind = "text" | "control" | "unknown" | "deleted";
/** How the lock is. */
export type Lock = {
  /** Whether codes work with this machine's TPM alone. */
  bound: boolean;
  /** Whether the keys are out of memory. */
  locked: boolean;
  /** Argon2id's memory for one guess, in KiB. */
  memory_kib: number;
  /** Argon2id's passes for one guess. */
  passes: number;
  settings?: (LockSettings | null);
  /** How long the next attempt to unlock must wait after wrong codes, in milliseconds. */
  wait: number;
};
/** What is set inside. */
export type LockSettings = {
  /** The daemon locks after so many seconds without a request that needs keys; 0 for never. */
  idle_seconds: number;
  /** Whether it locks once the machine slept. */
  on_suspend: boolean;
  /** After how many wrong codes in a row everything is wiped; 0 for never. */
  wipe_after: number;
};
/** An account that is in no backup. */
export type LostAccount = {
  /** Which. */
  account_id: string;
  /** What it is called here. */
  name: string;
};
/** A backup that was made. */
export type MadeBackup = {
  /** How many bytes they are. */
  bytes: number;
  /** When. */
  created: number;
  /** Its number. */
  number: number;
  /** How many parts there are in it. */
  parts: number;
  /** The number of the newest snapshot that the place showed, where this device knows of a newer one. */
  rolled_back_to?: number | null;
  /** The snapshot's name. */
  snapshot: string;
  /** How many of them are as they were. */
  unchanged: number;
  /** Snapshots that cannot be read. */
  unreadable: Array<string>;
  /** How many were written, and read back. */
  written: number;
};
/** A member of a group. */
export type Member = {
  /** Their Account ID. */
  account_id: string;
  /** What they are called in the group, as they or an admin said; absent where nobody did. */
  name?: string | null;
  /** How they stand to it. */
  standing: Standing;
};
/** Members by their Account IDs. */
export type Members = {
  /** The members, those who are invited included. */
  members: Array<Member>;
};
/** A message. */
export type Message = {
  /** Who wrote it. */
  author: string;
  /** What changed, where that is what it holds. */
  control?: Record<string, unknown> | null;
  /** The other side: a person, a group, or the account itself for notes to oneself. */
  conversation: string;
  /** Whether it is the owner's. */
  direction: Direction;
  /** When its author changed it last. */
  edited_at?: number | null;
  /** When it goes, once its time runs. */
  expires_at?: number | null;
  expiry?: (Expiry | null);
  /** Why it was given up. */
  failure?: string | null;
  /** Its files, in their order. */
  files: Array<File>;
  /** What it holds. */
  kind: Kind;
  /** The Account IDs of those its text names: each stands there behind an `@`. */
  mentions: Array<string>;
  /** Whether it names the owner. */
  mentions_me: boolean;
  /** Its number on this device. A greater one arrived later. */
  message_id: number;
  preview?: (Preview | null);
  quote?: (Quote | null);
  /** The emoji under it, in the order they came to be. */
  reactions: Array<Reaction>;
  /** Whether the owner has seen it; always true of their own. */
  read: boolean;
  /** When it came onto this device. */
  received_at: number;
  /** How far it got. */
  state: MessageState;
  /** Its text, where that is what it holds. */
  text?: string | null;
  /** When its author says it was written. */
  timestamp: number;
};
/** Another text for a message. */
export type MessageEdit = {
  /** What it is to say. */
  text: string;
};
/** Messages by their numbers. */
export type MessageIds = {
  /** The numbers. */
  message_ids: Array<number>;
};
/** Everything known of a message. */
export type MessageInfo = {
  /** The message. */
  message: Message;
  /** What is still to be done for its delivery. */
  open: Array<OpenStep>;
  /** Who has read it, as far as they tell. */
  receipts: Array<Receipt>;
  /** What mailboxes keep of it. */
  stored: Array<StoredCopy>;
};
/** How far a message got. */
export type MessageState = "waiting" | "delivered" | "failed" | "received";
/** Some messages, newest first. */
export type Messages = {
  /** The messages. */
  messages: Array<Message>;
  /** What `before` must be for the next, older page; absent where this was the last. */
  older?: string | null;
};
/** The network this device belongs to. */
export type Network = {
  /** Where the list of nodes comes from and what signs it, `URL#KEYS`; absent where nobody said. */
  seed?: string | null;
};
/** What a new account is called. */
export type NewAccount = {
  /** Its name here, which the people it writes to are told too. Without one it is called `main`
   * here and they are told nothing. */
  name?: string | null;
};
/** A backup to be set up. */
export type NewBackup = {
  /** The accounts to be in it; all where none are named. */
  accounts?: Array<string> | null;
  keep?: (Keep | null);
  /** The account whose recovery words are to open it; the first one where none is named. */
  key_account?: string | null;
  /** What it is to be called here. */
  name: string;
  /** Where it is to lie, as `warren backup --help` describes places: `{"type":"folder","path":...}`. */
  place: Record<string, unknown>;
};
/** Another code. */
export type NewCode = {
  /** The present code. */
  code: string;
  /** What the new one is. */
  kind: Kind;
  /** The new one. */
  new: string;
};
/** A code that destroys what is here and opens the other store. */
export type NewDuress = {
  /** The present code. */
  code: string;
  /** Typed, it also empties the mailboxes of all accounts here. Who learns it, and has a copy of the
   * disk from before, can do so too; they read nothing by it. */
  delete_mail?: boolean;
  /** What the duress code is. */
  kind: Kind;
  /** The duress code. */
  new: string;
  /** Typed, it also wipes the other devices of these accounts that trust them with it. */
  tell_devices?: boolean;
};
/** A group to be made. */
export type NewGroup = {
  /** The Account IDs of those to be invited: 99 at most, for the account is the first of 100. */
  members?: Array<string>;
  /** What it is called. */
  name: string;
};
/** A message to be sent. */
export type NewMessage = {
  /** What its files were named by when they were handed in; with them the text may be empty. */
  files?: Array<number>;
  /** The number of the message it answers. */
  reply_to?: number | null;
  /** What it says. */
  text: string;
  /** To whom: an Account ID, or the id of a group. */
  to: string;
};
/** The network this device is to belong to. */
export type NewSeed = {
  /** Where the list of nodes comes from and what signs it, `URL#KEYS`. */
  seed: string;
};
/** Whom to trust with this device. */
export type NewTrust = {
  /** What the friends are told that the device is called, at most 64 bytes. */
  device?: string | null;
  /** The Account IDs of the friends, at most eight. */
  friends: Array<string>;
  /** Whether the account's own other devices are one friend more. */
  own_devices?: boolean;
  /** How many of the friends together wipe the device. */
  threshold: number;
};
/** An event, and whose it is. */
export type Notice = (Event & {
  /** The account it happened to; absent where it concerns them all. */
  account?: string | null;
});
/** How soon the owner wants to hear of new messages. What is sent leaves at once in each. */
export type NotificationMode = "instant" | "slow" | "manual";
/** Which messages of a conversation the owner is told of. */
export type Notify = "all" | "mentions" | "nothing";
/** A share. Any `threshold` of a set are the account; fewer say nothing of it. */
export type OneShare = {
  /** Which of its set, from 1. */
  number: number;
  /** The text of its QR code. */
  qr: string;
  /** Its words, as SLIP-0039 has them. */
  words: string;
};
/** A part of a message's delivery that is still to be done. */
export type OpenStep = {
  /** How often it was tried in vain. */
  attempts: number;
  /** Into whose mailbox a copy goes. */
  mailbox?: string | null;
  /** When it is tried next; absent where it was given up, or waits for another step. */
  next_attempt?: number | null;
  /** What. */
  step: Step;
};
/** A wipe that was ordered. */
export type OrderedWipe = {
  /** The shares that are revealed to the device. */
  devices: Array<HeldDevice>;
};
/** What waits, oldest first. */
export type Outbox = {
  /** When the next of them is due; absent where nothing waits. */
  next_attempt?: number | null;
  /** The messages. */
  waiting: Array<Waiting>;
};
/** The nodes that requests pass through. */
export type PathInUse = {
  /** The nodes, the guard first. */
  hops: Array<Hop>;
  /** Since when. */
  since: number;
};
/** What a link in a message leads to, as its author saw it. */
export type Preview = {
  /** The page's title. */
  title: string;
  /** The link. */
  url: string;
};
/** Members to be made admins. */
export type Promotion = {
  /** Their Account IDs. */
  people: Array<string>;
};
/** What to remove. */
export type Prune = {
  /** Give up snapshots that cannot be read. */
  drop_damaged?: boolean;
  keep?: (Keep | null);
};
/** What was removed. */
export type PrunedBackup = {
  /** Bytes that went. */
  bytes: number;
  /** Snapshots that stay. */
  kept: number;
  /** Snapshots that went. */
  removed: number;
};
/** What a message answers. */
export type Quote = {
  /** Who said what is answered. */
  author: string;
  /** What the answer repeats of it; absent where it was deleted since. */
  text?: string | null;
  /** When they said it. */
  timestamp: number;
};
/** An emoji somebody put under a message. */
export type Reaction = {
  /** Who. */
  author: string;
  /** Which. */
  emoji: string;
  /** When, as they say. */
  timestamp: number;
};
/** An emoji under a message. */
export type ReactionChange = {
  /** One emoji. */
  emoji: string;
  /** Whether it is put there; else it is taken back. */
  on: boolean;
};
/** Somebody has read a message. */
export type Receipt = {
  /** When, as they say. */
  read_at: number;
  /** Who. */
  reader: string;
};
/** Members to be removed. */
export type Removal = {
  /** Whether what they wrote is deleted for everyone. */
  messages?: boolean;
  /** Their Account IDs. */
  people: Array<string>;
};
/** What is to come back. */
export type Restore = {
  /** The code of this home, or of the one that is made where there is none. */
  passphrase: string;
  /** Where it lies, as `warren backup --help` describes places. */
  place: Record<string, unknown>;
  /** Which snapshot, by the beginning of its name; the newest that can be read where none is named. */
  snapshot?: string | null;
  /** The recovery words that open it. */
  words: string;
};
/** What brings an account back. */
export type RestoredAccount = {
  /** Its thirteen recovery words. */
  mnemonic: string;
  /** Its name here, as for a new one. */
  name?: string | null;
};
/** What came back. */
export type RestoredBackup = {
  /** The accounts that are here, as ids. */
  accounts: Array<string>;
  /** How many bytes they are. */
  bytes: number;
  /** When that was made. */
  created: number;
  /** How many parts came back. */
  parts: number;
  /** The snapshot it came from. */
  snapshot: string;
};
/** What the account that comes back is called here. */
export type RestoredName = {
  /** Its name here, as for a new one. */
  name?: string | null;
};
/** How another try went. */
export type Retried = {
  /** How many were delivered. */
  delivered: number;
  /** How many the network refused for good. */
  failed: number;
  /** Why. */
  reason?: string | null;
  /** How many messages were tried. */
  tried: number;
  /** How many still wait. */
  waiting: number;
};
/** The sets of shares that friends gave back, the fullest first. */
export type Returned = {
  /** How far each set is. Recovery words are not among it. */
  sets: Array<ReturnedSet>;
};
/** How far a set of shares is. */
export type ReturnedSet = {
  /** The account they bring back; absent while there are too few. */
  account_id?: string | null;
  /** How many of its shares are here. */
  have: number;
  /** How many it takes. */
  need: number;
  /** The two words that name it. */
  set: string;
  /** What is wrong with them; absent where nothing is. */
  trouble?: string | null;
};
/** How often the daemon backs up. */
export type Schedule = {
  /** Every so many seconds; absent for never. */
  every_seconds?: number | null;
};
/** What others are told of an account's owner. */
export type Settings = {
  /** What the people they write to are told they are called; absent where they are told nothing. */
  display_name?: string | null;
  /** Whether what links lead to is looked up when a message with one is sent. On this device alone. */
  link_previews: boolean;
  /** The proxy it is looked up through; absent where the site sees this device's address. */
  preview_proxy?: string | null;
  /** Whether authors are told that their messages were read. On this device alone. */
  read_receipts: boolean;
  /** Whether others are told that the owner types. On this device alone. */
  typing: boolean;
};
/** What changes of it; what is absent stays. */
export type SettingsChange = {
  /** What the people they write to are told, from the next message on. On all of their devices. */
  display_name?: string | null;
  /** Whether what links lead to is looked up. */
  link_previews?: boolean | null;
  /** The proxy it is looked up through: `socks5://HOST:PORT` or `http://HOST:PORT`; an empty text
   * means none. */
  preview_proxy?: string | null;
  /** Whether authors are told that their messages were read. */
  read_receipts?: boolean | null;
  /** Whether others are told that the owner types. */
  typing?: boolean | null;
};
/** How many shares something concerned. */
export type ShareCount = {
  /** How many. */
  shares: number;
};
/** Somebody who says that they lost an account. Anybody can say so. */
export type ShareRequest = {
  /** The Account ID that they say was theirs. */
  account: string;
  /** When they asked last. */
  asked_at: number;
  /** Who asks: the Account ID they ask from. */
  asker: string;
  /** Whether shares of that account are kept here. */
  held: boolean;
  /** When they were given shares; absent where they were not. */
  returned_at?: number | null;
};
/** Who says that they lost an account, the latest first. */
export type ShareRequests = {
  /** The requests. */
  requests: Array<ShareRequest>;
};
/** What lies at a place. */
export type Snapshots = {
  /** The oldest first, those that cannot be read last. */
  snapshots: Array<BackupSnapshot>;
};
/** How a recovery phrase is to be split. */
export type Split = {
  /** How many shares there are to be, at most 16. */
  shares: number;
  /** How many shares bring it back, at least 2. */
  threshold: number;
};
/** The shares of a recovery phrase. They are kept nowhere: whoever asked shows them once. */
export type SplitPhrase = {
  /** The two words that each share of the set begins with. */
  set: string;
  /** The shares. */
  shares: Array<OneShare>;
  /** How many of them bring the phrase back. */
  threshold: number;
};
/** How somebody stands to a group. */
export type Standing = "to_be_invited" | "invited" | "member" | "promoted" | "admin" | "leaving";
/** Parts of a delivery. */
export type Step = "upload" | "seal" | "store" | "other";
/** What a mailbox keeps of a message. */
export type StoredCopy = {
  /** Under which hash. */
  hash: string;
  /** Whose mailbox. */
  mailbox: string;
};
/** How to fetch. */
export type Sync = {
  /** Where nothing is new, wait for it: at most so many seconds, never more than 60. */
  wait?: number;
};
/** What was fetched. */
export type Synced = {
  /** How many new messages. */
  new: number;
};
/** How long messages are to live. */
export type Timer = {
  expiry?: (Expiry | null);
};
/** A friend of a set. */
export type TrustedFriend = {
  /** Their Account ID; the account's own for its other devices. */
  friend: string;
  /** Which of the set, from 1. */
  number: number;
  /** When it said so; absent where it has said nothing. */
  since?: number | null;
  /** What their app said. */
  state: FriendState;
  /** When this device last heard a test of theirs; absent where it has not. */
  tested_at?: number | null;
};
/** Friends who, so many of them together, can wipe a device of this account's owner. */
export type TrustedSet = {
  /** When the set was made. */
  created: number;
  /** What the friends are told that the device is called. */
  device: string;
  /** The friends. */
  friends: Array<TrustedFriend>;
  /** Whether it is this device; else it is one from whose backup this came, or whose tripwire was
   * made anew, and this one is not wiped. */
  here: boolean;
  /** Its name. */
  set: string;
  /** How many of the friends together wipe it. */
  threshold: number;
};
/** Whether the owner types. */
export type Types = {
  /** They do. */
  typing: boolean;
};
/** What opens a locked home. */
export type Unlock = {
  /** The code: PIN, passphrase, or pattern as `3x3:1-2-3-6-9`. */
  passphrase: string;
};
/** What waits for the owner's eyes, in conversations that are neither muted, hidden nor archived. */
export type UnreadCounts = {
  /** Conversations with unread messages, and those marked as unread. */
  conversations: number;
  /** Messages that name the owner. */
  mentions: number;
  /** Messages. */
  messages: number;
  /** Requests, whether seen or not. */
  requests: number;
};
/** What a manifest says that may be believed. */
export type Update = {
  /** Until when this may be believed. */
  expires: number;
  file?: (UpdateFile | null);
  /** It is newer than the one that runs. */
  newer: boolean;
  /** The newest. */
  newest: string;
  /** The version that runs. */
  running: string;
};
/** A file of a release. */
export type UpdateFile = {
  /** Its name. */
  name: string;
  /** Its SHA-256, in hexadecimal digits. */
  sha256: string;
  /** Its bytes. */
  size: number;
};
/** What was seen of a backup. */
export type VerifiedBackup = {
  /** Bytes of what they need. */
  bytes: number;
  /** Parts that would not come back. */
  damaged: Array<DamagedPart>;
  /** Nothing is wrong. */
  good: boolean;
  /** Snapshots of which everything comes back, the oldest first. */
  good_snapshots: Array<string>;
  /** The place shows an older state than this device knows. */
  rolled_back?: string | null;
  /** Snapshots that can be read. */
  snapshots: number;
  /** Why others cannot. */
  unreadable: Array<string>;
};
/** How thoroughly to look. */
export type Verify = {
  /** Every byte is read, too. */
  bytes?: boolean;
};
/** A message that waits. */
export type Waiting = {
  /** How often it was tried in vain. */
  attempts: number;
  /** Whether its recipient's copy waits; else the one for the owner's other devices does. */
  for_recipient: boolean;
  /** The message. */
  message: Message;
};
/** Which device of a person. */
export type WhichDevice = {
  /** What its owner calls it, or the beginning of its set's name; absent for all of the person's. */
  device?: string | null;
};
/** What to wipe. */
export type Wipe = {
  /** The word `wipe`. */
  confirm: string;
  /** Go on where the network cannot be reached; else nothing is wiped then. */
  even_offline?: boolean;
  /** Also what the network keeps for every account: messages and configurations. The home must be
   * unlocked. */
  network?: boolean;
};
/** When wrong codes wipe. */
export type WipeAfter = {
  /** The present code. */
  code: string;
  /** After how many wrong codes in a row; 0 for never. */
  count: number;
};
/** What was reached. */
export type Wiped = {
  /** What the network did for each account; empty where it was not asked. */
  accounts: Array<WipedAccount>;
  /** Everything on this device is deleted. Where it is not, it cannot be read, and the next start
   * deletes it. */
  data: boolean;
  /** The keys on this device are destroyed. */
  keys: boolean;
};
/** What the network did for an account. */
export type WipedAccount = {
  /** The account. */
  account_id: string;
  /** How many members of its swarm say that they deleted everything. */
  done: number;
  /** Why not, where none did. */
  error?: string | null;
  /** How many members there are; 0 where none could be reached. */
  members: number;
};
/** Recovery words. */
export type Words = {
  /** Thirteen words. Whoever has them has the account. */
  mnemonic: string;
};
/** Something that is done in the background. */
export type Work = {
  /** Bytes done of that. */
  done: number;
  error?: (ErrorText | null);
  /** What. */
  kind: WorkKind;
  result?: (WorkResult | null);
  stage?: (WorkStage | null);
  /** How it is. */
  state: WorkState;
  /** Bytes in all; 0 where nobody knows. */
  total: number;
};
/** What is done. */
export type WorkKind = "backup" | "verify" | "prune" | "restore" | "border";
/** What came of it. */
export type WorkResult = ({
  /** A backup. */
  backup: MadeBackup;
} | {
  /** What was seen of one. */
  verify: VerifiedBackup;
} | {
  /** What was removed. */
  prune: PrunedBackup;
} | {
  /** What came back. */
  restore: RestoredBackup;
} | {
  /** What is in the backups, and what it takes to come back from them. */
  border: BorderReport;
});
/** What of it is being done. */
export type WorkStage = "looking" | "writing" | "checking" | "restoring" | "removing";
/** How it is. */
export type WorkState = "running" | "done" | "failed";

/** Every operation, by its method and path. */
export interface Operations {
  /** Lists the accounts. */
  "GET /v1/accounts": {
    response: Accounts;
  };
  /** Creates an account. */
  "POST /v1/accounts": {
    body: NewAccount;
    response: CreatedAccount;
  };
  /** Brings an account back from its recovery words. */
  "POST /v1/accounts/restore": {
    body: RestoredAccount;
    response: Account;
  };
  /** Shows an account. */
  "GET /v1/accounts/{account}": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Account;
  };
  /** Takes an account and its messages off this device. Only its recovery words bring it back. */
  "DELETE /v1/accounts/{account}": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Account;
  };
  /** Changes how an account is called here and how soon its owner wants to hear. */
  "PATCH /v1/accounts/{account}": {
    path: {
      /** Account ID */
      account: string;
    };
    body: AccountChange;
    response: Account;
  };
  /** Lists the contacts. */
  "GET /v1/accounts/{account}/contacts": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Contacts;
  };
  /** Shows a contact. */
  "GET /v1/accounts/{account}/contacts/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the contact's Account ID */
      peer: string;
    };
    response: Contact;
  };
  /** Gives an Account ID a name, and makes a contact of it. */
  "PUT /v1/accounts/{account}/contacts/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the contact's Account ID */
      peer: string;
    };
    body: ContactName;
    response: Contact;
  };
  /** Forgets a contact. Messages stay. */
  "DELETE /v1/accounts/{account}/contacts/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the contact's Account ID */
      peer: string;
    };
    response: Contact;
  };
  /** Changes a contact. */
  "PATCH /v1/accounts/{account}/contacts/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the contact's Account ID */
      peer: string;
    };
    body: ContactChange;
    response: Contact;
  };
  /** Lists conversations. */
  "GET /v1/accounts/{account}/conversations": {
    path: {
      /** Account ID */
      account: string;
    };
    query: {
      /** Which part; the inbox where absent. */
      listing?: "inbox" | "archived" | "requests" | "hidden" | "all";
      /** The `next` of the page before. */
      after?: string;
      /** At most so many; 100 where absent, never more than 500. */
      limit?: number;
    };
    response: Conversations;
  };
  /** Shows a conversation. */
  "GET /v1/accounts/{account}/conversations/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    response: Conversation;
  };
  /** Deletes a conversation with all its messages on this device. */
  "DELETE /v1/accounts/{account}/conversations/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    response: void;
  };
  /** Sets something for a conversation, which is made where there is none yet. */
  "PATCH /v1/accounts/{account}/conversations/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    body: ConversationChange;
    response: Conversation;
  };
  /** Accepts a request: its author's messages are wanted from now on. Of a group it is the invitation. */
  "POST /v1/accounts/{account}/conversations/{peer}/accept": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    response: void;
  };
  /** Declines a request: the conversation goes, its author may ask again unless they are blocked. Of a
   * group it is the invitation. */
  "POST /v1/accounts/{account}/conversations/{peer}/decline": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    query: {
      /** Whether its author is blocked, too. */
      block?: boolean;
    };
    response: void;
  };
  /** Marks everything in a conversation as seen. */
  "POST /v1/accounts/{account}/conversations/{peer}/read": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    response: void;
  };
  /** Tells the other side that the owner took a screenshot of the conversation. Groups and strangers are
   * not told. */
  "POST /v1/accounts/{account}/conversations/{peer}/screenshot": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    response: void;
  };
  /** Has the owner's messages in a conversation disappear from here on, or stay. The other side is
   * told. */
  "PUT /v1/accounts/{account}/conversations/{peer}/timer": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    body: Timer;
    response: Conversation;
  };
  /** Tells the other side that the owner types, or ceased to, where the owner's settings allow it. */
  "POST /v1/accounts/{account}/conversations/{peer}/typing": {
    path: {
      /** Account ID */
      account: string;
      /** the other side */
      peer: string;
    };
    body: Types;
    response: void;
  };
  /** Gives up a file that was handed in: no message is to have it. */
  "DELETE /v1/accounts/{account}/drafts/{draft}": {
    path: {
      /** Account ID */
      account: string;
      /** what the file was named by when it was handed in */
      draft: number;
    };
    response: void;
  };
  /** Hands in a file for a message; the body is the file. It lies sealed on this device. Images lose
   * what they tell of the one who took them. */
  "POST /v1/accounts/{account}/files": {
    path: {
      /** Account ID */
      account: string;
    };
    query: {
      /** The name that the recipients see. */
      name?: string;
      /** What stands under it. */
      caption?: string;
      /** Whether an image keeps what it tells of the one who took it: place, time, device. */
      keep_metadata?: boolean;
      /** Whether it holds what the owner spoke for this message. */
      voice?: boolean;
    };
    response: HandedIn;
  };
  /** Shows what is known of a file. */
  "GET /v1/accounts/{account}/files/{file}": {
    path: {
      /** Account ID */
      account: string;
      /** the file's number */
      file: number;
    };
    response: File;
  };
  /** Stops fetching a file, and forgets what came of it. */
  "POST /v1/accounts/{account}/files/{file}/cancel": {
    path: {
      /** Account ID */
      account: string;
      /** the file's number */
      file: number;
    };
    response: File;
  };
  /** Hands a file out that is on this device; the answer's body is the file. */
  "GET /v1/accounts/{account}/files/{file}/content": {
    path: {
      /** Account ID */
      account: string;
      /** the file's number */
      file: number;
    };
    response: void;
  };
  /** Fetches a file to this device, from where an earlier try left off, and waits for it. `transfer`
   * events tell how far it is. To end the request is to pause. */
  "POST /v1/accounts/{account}/files/{file}/fetch": {
    path: {
      /** Account ID */
      account: string;
      /** the file's number */
      file: number;
    };
    response: File;
  };
  /** The small picture of a file; the answer's body is an image. */
  "GET /v1/accounts/{account}/files/{file}/thumbnail": {
    path: {
      /** Account ID */
      account: string;
      /** the file's number */
      file: number;
    };
    response: void;
  };
  /** Whom a name or an Account ID means. What the owner calls people goes before what they call
   * themselves, and that before the names of groups. */
  "GET /v1/accounts/{account}/find": {
    path: {
      /** Account ID */
      account: string;
    };
    query: {
      /** A contact's name, an Account ID, or a group's name or id. */
      who: string;
    };
    response: Found;
  };
  /** Lists who can wipe this device, and which devices of others can be wiped from here. */
  "GET /v1/accounts/{account}/friends": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Friends;
  };
  /** Keeps no share for devices of somebody any more. They are told. */
  "DELETE /v1/accounts/{account}/friends/devices/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** whose devices */
      peer: string;
    };
    query: {
      /** What its owner calls it, or the beginning of its set's name; absent for all of the person's. */
      device?: string;
    };
    response: ShareCount;
  };
  /** Asks devices of somebody whether they would hear an order. It wipes nothing; they answer once they
   * are unlocked. */
  "POST /v1/accounts/{account}/friends/devices/{peer}/test": {
    path: {
      /** Account ID */
      account: string;
      /** whose devices */
      peer: string;
    };
    body: WhichDevice;
    response: ShareCount;
  };
  /** The first of two steps of wiping a friend's device: gives the code of the second. Nothing is sent. */
  "POST /v1/accounts/{account}/friends/devices/{peer}/wipe": {
    path: {
      /** Account ID */
      account: string;
      /** whose device */
      peer: string;
    };
    body: WhichDevice;
    response: AnnouncedWipe;
  };
  /** Repeats an order no more. What was sent stays in the network for two weeks. */
  "DELETE /v1/accounts/{account}/friends/devices/{peer}/wipe": {
    path: {
      /** Account ID */
      account: string;
      /** whose device */
      peer: string;
    };
    query: {
      /** What its owner calls it, or the beginning of its set's name; absent for all of the person's. */
      device?: string;
    };
    response: ShareCount;
  };
  /** The second step: orders the wipe, and repeats the order for weeks. Nobody can undo it. */
  "POST /v1/accounts/{account}/friends/devices/{peer}/wipe/confirm": {
    path: {
      /** Account ID */
      account: string;
      /** whose device */
      peer: string;
    };
    body: ConfirmedWipe;
    response: OrderedWipe;
  };
  /** Lets friends wipe this device: each is sent a share, of which nothing stays here. */
  "POST /v1/accounts/{account}/friends/sets": {
    path: {
      /** Account ID */
      account: string;
    };
    body: NewTrust;
    response: TrustedSet;
  };
  /** Has the shares of a set do nothing any more, at once, and tells the friends. */
  "DELETE /v1/accounts/{account}/friends/sets/{set}": {
    path: {
      /** Account ID */
      account: string;
      /** the set's name */
      set: string;
    };
    response: void;
  };
  /** Makes a new set of the same friends and revokes the old one. */
  "POST /v1/accounts/{account}/friends/sets/{set}/reissue": {
    path: {
      /** Account ID */
      account: string;
      /** the set's name */
      set: string;
    };
    response: TrustedSet;
  };
  /** Lists the groups the account is invited to, in, or was removed from. */
  "GET /v1/accounts/{account}/groups": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Groups;
  };
  /** Makes a group with the account as its admin, and invites people to it. It exists even where the
   * network fails: invitations then leave with the next `sync`. */
  "POST /v1/accounts/{account}/groups": {
    path: {
      /** Account ID */
      account: string;
    };
    body: NewGroup;
    response: Group;
  };
  /** Shows a group. */
  "GET /v1/accounts/{account}/groups/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    response: Group;
  };
  /** Ends a group for everybody and for good. Admins alone can. */
  "DELETE /v1/accounts/{account}/groups/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    response: void;
  };
  /** Changes what a group is called, what it is about, or how long its messages live. */
  "PATCH /v1/accounts/{account}/groups/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    body: GroupChange;
    response: Group;
  };
  /** Joins a group the account is invited to. */
  "POST /v1/accounts/{account}/groups/{peer}/accept": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    response: Group;
  };
  /** Makes members admins, for good. Admins alone can. */
  "POST /v1/accounts/{account}/groups/{peer}/admins": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    body: Promotion;
    response: Members;
  };
  /** Declines an invitation. Nobody is told. */
  "POST /v1/accounts/{account}/groups/{peer}/decline": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    response: void;
  };
  /** Leaves a group. Its messages go from all devices of the account. */
  "POST /v1/accounts/{account}/groups/{peer}/leave": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    response: void;
  };
  /** Lists who is in a group. */
  "GET /v1/accounts/{account}/groups/{peer}/members": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    response: Members;
  };
  /** Invites people to a group. Admins alone can. */
  "POST /v1/accounts/{account}/groups/{peer}/members": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    body: Invitation;
    response: Members;
  };
  /** Removes members, who read no further. Admins alone can, and admins stay. */
  "POST /v1/accounts/{account}/groups/{peer}/remove": {
    path: {
      /** Account ID */
      account: string;
      /** the group's id */
      peer: string;
    };
    body: Removal;
    response: Members;
  };
  /** A page of messages, newest first. */
  "GET /v1/accounts/{account}/messages": {
    path: {
      /** Account ID */
      account: string;
    };
    query: {
      /** Of one conversation alone. */
      conversation?: string;
      /** Those the owner has not seen alone. */
      unread?: boolean;
      /** The `older` of the page before. */
      before?: string;
      /** At most so many; 50 where absent, never more than 500. */
      limit?: number;
    };
    response: Messages;
  };
  /** Saves a message, which is sent as soon as it can be; `deliver` waits for that. Where the owner wants
   * previews, what its first link leads to is looked up before. */
  "POST /v1/accounts/{account}/messages": {
    path: {
      /** Account ID */
      account: string;
    };
    body: NewMessage;
    response: Message;
  };
  /** What came onto this device after a message, oldest first. */
  "GET /v1/accounts/{account}/messages/arrived": {
    path: {
      /** Account ID */
      account: string;
    };
    query: {
      /** The number of a message; only those that came later are meant. 0 means all. */
      after?: number;
      /** At most so many; 50 where absent, never more than 500. */
      limit?: number;
    };
    response: Arrived;
  };
  /** Marks messages as seen. Those that do not exist make no difference. The owner's other devices
   * learn of it once nothing before a message is unread. */
  "POST /v1/accounts/{account}/messages/read": {
    path: {
      /** Account ID */
      account: string;
    };
    body: MessageIds;
    response: void;
  };
  /** Shows a message. */
  "GET /v1/accounts/{account}/messages/{message}": {
    path: {
      /** Account ID */
      account: string;
      /** the message's number */
      message: number;
    };
    response: Message;
  };
  /** Deletes a message. */
  "DELETE /v1/accounts/{account}/messages/{message}": {
    path: {
      /** Account ID */
      account: string;
      /** the message's number */
      message: number;
    };
    query: {
      /** For whom; for this device alone where absent. */
      for?: "me" | "my_devices" | "everyone";
    };
    response: void;
  };
  /** Gives an own message another text, everywhere. */
  "PATCH /v1/accounts/{account}/messages/{message}": {
    path: {
      /** Account ID */
      account: string;
      /** the message's number */
      message: number;
    };
    body: MessageEdit;
    response: Message;
  };
  /** Tries to deliver a message, and says how far it got. */
  "POST /v1/accounts/{account}/messages/{message}/deliver": {
    path: {
      /** Account ID */
      account: string;
      /** the message's number */
      message: number;
    };
    response: DeliveryReport;
  };
  /** Everything known of a message: how far it got, who read it, what mailboxes keep of it. */
  "GET /v1/accounts/{account}/messages/{message}/info": {
    path: {
      /** Account ID */
      account: string;
      /** the message's number */
      message: number;
    };
    response: MessageInfo;
  };
  /** Puts an emoji under a message, or takes it back. */
  "PUT /v1/accounts/{account}/messages/{message}/reactions": {
    path: {
      /** Account ID */
      account: string;
      /** the message's number */
      message: number;
    };
    body: ReactionChange;
    response: Message;
  };
  /** Marks what a conversation holds up to a message as seen, on all of the owner's devices. */
  "POST /v1/accounts/{account}/messages/{message}/read": {
    path: {
      /** Account ID */
      account: string;
      /** the message's number */
      message: number;
    };
    response: void;
  };
  /** Takes up again what was given up of a message; `deliver` waits for it. */
  "POST /v1/accounts/{account}/messages/{message}/resend": {
    path: {
      /** Account ID */
      account: string;
      /** the message's number */
      message: number;
    };
    response: Message;
  };
  /** Shows the recovery words. Whoever has them has the account. */
  "GET /v1/accounts/{account}/mnemonic": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Words;
  };
  /** Lists what waits. */
  "GET /v1/accounts/{account}/outbox": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Outbox;
  };
  /** Tries to deliver what waits. */
  "POST /v1/accounts/{account}/outbox/retry": {
    path: {
      /** Account ID */
      account: string;
    };
    query: {
      /** Those alone whose time has come; else all. */
      due?: boolean;
    };
    response: Retried;
  };
  /** The path in use, proven by a question that travels it. */
  "GET /v1/accounts/{account}/path": {
    path: {
      /** Account ID */
      account: string;
    };
    response: PathInUse;
  };
  /** What somebody looks like: the account itself, a contact or a group. The answer's body is a JPEG or
   * a PNG, made on this device. It may come with a later `sync`, and a `contact_changed`,
   * `conversation_changed` or `account_changed` event. */
  "GET /v1/accounts/{account}/pictures/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the account's own id, a contact's or a group's */
      peer: string;
    };
    response: void;
  };
  /** Sets what the account looks like, or a group of which it is an admin; the body is an image. It is
   * cut square and made small, and nothing but its pixels leaves this device. */
  "PUT /v1/accounts/{account}/pictures/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the account's own id, or a group's */
      peer: string;
    };
    response: void;
  };
  /** Takes the picture of the account away, or that of a group of which it is an admin. */
  "DELETE /v1/accounts/{account}/pictures/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** the account's own id, or a group's */
      peer: string;
    };
    response: void;
  };
  /** Looks for messages. */
  "GET /v1/accounts/{account}/search": {
    path: {
      /** Account ID */
      account: string;
    };
    query: {
      /** Words, all of which must be there; the last may go on. A text in double quotes is a phrase. */
      text: string;
      /** In one conversation alone. */
      conversation?: string;
      /** In which order; the newest first where absent. */
      order?: "newest" | "best";
      /** The `next` of the page before. */
      after?: number;
      /** At most so many; 50 where absent, never more than 500. */
      limit?: number;
    };
    response: Hits;
  };
  /** Shows what others are told of the owner. */
  "GET /v1/accounts/{account}/settings": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Settings;
  };
  /** Changes what others are told of the owner. */
  "PATCH /v1/accounts/{account}/settings": {
    path: {
      /** Account ID */
      account: string;
    };
    body: SettingsChange;
    response: Settings;
  };
  /** Splits the recovery words into shares, which are shown once and kept nowhere. */
  "POST /v1/accounts/{account}/shares": {
    path: {
      /** Account ID */
      account: string;
    };
    body: Split;
    response: SplitPhrase;
  };
  /** Asks friends, from this account, for the shares they keep of one that was lost. */
  "POST /v1/accounts/{account}/shares/asked": {
    path: {
      /** Account ID */
      account: string;
    };
    body: Asking;
    response: void;
  };
  /** Lists who was handed shares, and whether they keep them. */
  "GET /v1/accounts/{account}/shares/given": {
    path: {
      /** Account ID */
      account: string;
    };
    response: GivenShares;
  };
  /** Splits the recovery words and hands each friend one share. The shares are kept nowhere here. */
  "POST /v1/accounts/{account}/shares/given": {
    path: {
      /** Account ID */
      account: string;
    };
    body: HandOut;
    response: GivenShares;
  };
  /** Lists the shares that are kept for others. */
  "GET /v1/accounts/{account}/shares/held": {
    path: {
      /** Account ID */
      account: string;
    };
    response: HeldShares;
  };
  /** Keeps nothing of somebody's recovery words any more. They are not told. */
  "DELETE /v1/accounts/{account}/shares/held/{peer}": {
    path: {
      /** Account ID */
      account: string;
      /** whose shares they are */
      peer: string;
    };
    response: GaveBack;
  };
  /** Lists who says that they lost an account. Anybody can say so: make sure by voice or in person. */
  "GET /v1/accounts/{account}/shares/requests": {
    path: {
      /** Account ID */
      account: string;
    };
    response: ShareRequests;
  };
  /** Gives whoever asked the shares that are kept of somebody. There is no taking back. */
  "POST /v1/accounts/{account}/shares/requests/{peer}/return": {
    path: {
      /** Account ID */
      account: string;
      /** who asked */
      peer: string;
    };
    body: GiveBack;
    response: GaveBack;
  };
  /** Lists what friends gave back, set by set. */
  "GET /v1/accounts/{account}/shares/returned": {
    path: {
      /** Account ID */
      account: string;
    };
    response: Returned;
  };
  /** Brings the lost account onto this device from what friends gave back, and forgets the shares. */
  "POST /v1/accounts/{account}/shares/returned/restore": {
    path: {
      /** Account ID */
      account: string;
    };
    body: RestoredName;
    response: Account;
  };
  /** Fetches what is new. Without waiting, what waits is sent too, and the owner's other devices are
   * told what changed. */
  "POST /v1/accounts/{account}/sync": {
    path: {
      /** Account ID */
      account: string;
    };
    body: Sync;
    response: Synced;
  };
  /** What waits for the owner's eyes. */
  "GET /v1/accounts/{account}/unread": {
    path: {
      /** Account ID */
      account: string;
    };
    response: UnreadCounts;
  };
  /** The backups that are set up. */
  "GET /v1/backups": {
    response: Backups;
  };
  /** Sets a backup up. Nothing is written to the place yet. */
  "POST /v1/backups": {
    body: NewBackup;
    response: Backup;
  };
  /** One backup that is set up. */
  "GET /v1/backups/{name}": {
    path: {
      /** What it is called here */
      name: string;
    };
    response: Backup;
  };
  /** Forgets a backup here. What lies at the place stays there. */
  "DELETE /v1/backups/{name}": {
    path: {
      /** What it is called here */
      name: string;
    };
    response: void;
  };
  /** Removes old snapshots and what nothing needs any more, in the background. */
  "POST /v1/backups/{name}/prune": {
    path: {
      /** What it is called here */
      name: string;
    };
    body: Prune;
    response: Work;
  };
  /** Backs up what is new, in the background. */
  "POST /v1/backups/{name}/run": {
    path: {
      /** What it is called here */
      name: string;
    };
    response: Work;
  };
  /** Says how often the daemon backs up, while it runs and is unlocked. */
  "PUT /v1/backups/{name}/schedule": {
    path: {
      /** What it is called here */
      name: string;
    };
    body: Schedule;
    response: Backup;
  };
  /** What lies at the place, asked of it now. */
  "GET /v1/backups/{name}/snapshots": {
    path: {
      /** What it is called here */
      name: string;
    };
    response: Snapshots;
  };
  /** Sees whether everything is there, in the background. */
  "POST /v1/backups/{name}/verify": {
    path: {
      /** What it is called here */
      name: string;
    };
    body: Verify;
    response: Work;
  };
  /** Makes every backup, brings each back into a place of its own, reads all of it and compares it with
   * what is here: in the background. The result says what is in them and what it takes to come back.
   * Nothing is wiped. */
  "POST /v1/border": {
    body: Border;
    response: Work;
  };
  /** Wipes this device, where the backups were tried and still hold what is here, and the recovery words
   * that open them were shown to be known. A daemon ends afterwards. */
  "POST /v1/border/wipe": {
    body: Cross;
    response: Wiped;
  };
  /** Whether these are the words of an account that the report asks for, in its order. */
  "POST /v1/border/words": {
    body: GivenWords;
    response: void;
  };
  /** The reports of faults on this device. Answered while it is locked, too: they hold nothing that comes
   * from a person. */
  "GET /v1/crashes": {
    response: CrashReports;
  };
  /** A report in full. */
  "GET /v1/crashes/{number}": {
    path: {
      /** Its number */
      number: number;
    };
    response: CrashReport;
  };
  /** Deletes a report. */
  "DELETE /v1/crashes/{number}": {
    path: {
      /** Its number */
      number: number;
    };
    response: void;
  };
  /** How the daemon is. Answered while it is locked, too. */
  "GET /v1/daemon": {
    response: Daemon;
  };
  /** Drops all keys and ends all work, until somebody unlocks. */
  "POST /v1/daemon/lock": {
    response: void;
  };
  /** Ends the daemon. */
  "POST /v1/daemon/stop": {
    response: void;
  };
  /** Unlocks, and puts the accounts to work. Where the home is unlocked, work ends and begins anew. */
  "POST /v1/daemon/unlock": {
    body: Unlock;
    response: void;
  };
  /** Shows after how long without unlocking this device is wiped. */
  "GET /v1/dead-man": {
    response: DeadMan;
  };
  /** Says after how long without unlocking this device is wiped. The time runs from here. */
  "PUT /v1/dead-man": {
    body: DeadMan;
    response: DeadMan;
  };
  /** Opens a WebSocket of events, each a `Notice` as JSON text. It ends where the home is locked,
   * after the event `locked`. */
  "GET /v1/events": {
    query: {
      /** Those of one account alone, and those that concern all. */
      account?: string;
    };
  };
  /** How the lock is. Whether there is a duress code is told nowhere. */
  "GET /v1/lock": {
    response: Lock;
  };
  /** Drops all keys and ends all work, until somebody unlocks. */
  "POST /v1/lock": {
    response: void;
  };
  /** Says when the daemon locks by itself. */
  "PATCH /v1/lock/auto": {
    body: AutoLockChange;
    response: LockSettings;
  };
  /** Has a secret that only this machine's TPM 2.0 gives out take part in the code, or no longer. Other
   * codes are gone afterwards. */
  "PUT /v1/lock/binding": {
    body: Binding;
    response: void;
  };
  /** Measures what a guess should cost on this machine, and puts the present code under it. Other codes
   * are gone afterwards. */
  "POST /v1/lock/calibrate": {
    body: CodeGiven;
    response: GuessCost;
  };
  /** Puts everything under another code. */
  "PUT /v1/lock/code": {
    body: NewCode;
    response: void;
  };
  /** Sets a code that, typed in place of the ordinary one, destroys everything here and opens an empty
   * or decoy store. One that was set before is gone. */
  "PUT /v1/lock/duress": {
    body: NewDuress;
    response: DuressSet;
  };
  /** Takes the duress code away, where there is one. The answer is the same where there is none. */
  "POST /v1/lock/duress/remove": {
    body: CodeGiven;
    response: void;
  };
  /** Says after how many wrong codes in a row everything is wiped. */
  "PUT /v1/lock/wipe-after": {
    body: WipeAfter;
    response: void;
  };
  /** Shows the network this device belongs to. */
  "GET /v1/network": {
    response: Network;
  };
  /** Says which network this device belongs to. Accounts begin their work anew. */
  "PUT /v1/network": {
    body: NewSeed;
    response: Network;
  };
  /** Brings a device back, in the background, into a home that has no account; one that was restored half
   * is gone on with. A home that was unlocked is locked meanwhile; a daemon is unlocked afterwards. */
  "POST /v1/restore": {
    body: Restore;
    response: Work;
  };
  /** Brings shares together: says how many are missing, or gives the recovery words. Nothing is kept. */
  "POST /v1/shares/combine": {
    body: GivenShares;
    response: Gathered;
  };
  /** Unlocks, and puts the accounts to work. Where the home is unlocked, work ends and begins anew. */
  "POST /v1/unlock": {
    body: CodeGiven;
    response: void;
  };
  /** Looks whether there is a newer release, through the onion. Nothing is installed, and nothing looks by
   * itself. */
  "POST /v1/update/check": {
    body: CheckUpdate;
    response: Update;
  };
  /** Destroys the keys, then has the network delete where that was asked, then deletes everything on
   * this device. A daemon ends afterwards. There is no way back but recovery words and backups. */
  "POST /v1/wipe": {
    body: Wipe;
    response: Wiped;
  };
  /** What is being done in the background, or was done last: backups, trials, restoring. */
  "GET /v1/work": {
    response: Work;
  };
  /** Stops it. What was backed up before stays as it is; what was begun is gone on with the next time. */
  "DELETE /v1/work": {
    response: void;
  };
}

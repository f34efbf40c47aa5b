import type { ConsentState, Event, EventType, RequiredFields } from "./events.js";

export type * from "./events.js";

/** What the tracker says of an event itself. */
type Own =
    | "event_id"
    | "event_type"
    | "event_timestamp"
    | "seq"
    | "anonymous_id"
    | "session_id"
    | "page_url"
    | "page_title"
    | "referrer_url"
    | "consent";

/** The fields of an event of one type, those that it requires among them. */
export type FieldsOf<Type extends EventType> = Omit<Event, Own> & {
    [Name in RequiredFields[Type]]: NonNullable<Event[Name]>;
};

/** What the tag may say: the attributes that the tracker's README lists, without `data-` and in camel case. */
export interface Settings {
    /** The address of `t.js` at the shop's edge. */
    src: string;
    /** The shop's write key. */
    key: string;
    /** The page's nonce, where its Content-Security-Policy asks for one. */
    nonce?: string;
    consent?: "full" | "cookieless" | "off";
    refused?: "off" | "cookieless";
    consentVersion?: string;
    consentDays?: string;
    cookieDomain?: string;
    consentFrom?: "google" | "tcf" | "onetrust" | "cookiebot" | "shopify" | "wordpress";
    ga4?: string;
    ga4Currency?: string;
    clickText?: string;
    debug?: string;
    views?: "off";
    clicks?: "outbound" | "off";
    downloads?: "off";
    pings?: "off";
    scroll?: "off";
    forms?: "off";
    search?: string;
    vitals?: "off";
    errors?: string;
}

/** Puts the tracker into the page, once. On a server it does nothing. */
export function install(settings: Settings): void;

/** Says who the visitor is; `null` takes it back. */
export function shoptrail(call: "identify", said: { user_id: string | number | null }): void;
/** Says what the visitor chose. What is not mentioned stays as it was. */
export function shoptrail(
    call: "consent",
    said: { analytics?: boolean | ConsentState; ads?: boolean | ConsentState },
): void;
/** Sends an event. */
export function shoptrail<Type extends EventType>(
    type: Type,
    ...fields: [RequiredFields[Type]] extends [never]
        ? [fields?: FieldsOf<Type>]
        : [fields: FieldsOf<Type>]
): void;

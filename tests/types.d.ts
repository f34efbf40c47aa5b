// What the tests' pages have that a browser has not, and what workerd has that Node has not.

interface Window {
    /** The tracker's calls, or the stub that queues them until it is there. */
    shoptrail: any;
    /** The checker of accessibility. */
    axe: any;
    /** What an injected script would set. */
    broken?: boolean;
    /** Lost when the page is loaded again. */
    stillHere?: boolean;
    /** Whether the page came from the back/forward cache when it was shown last. */
    persisted?: boolean;
    /** Brings a page into sight that was opened in the background. */
    show: () => void;
    /** What a page tried to store. */
    written: any[];
    /** Whether a page has read the edge's answer. */
    answered?: boolean;
    /** How often a page asked for its turn to send. */
    turns: number;
    /** What a shop tells Google Analytics, by a name of its own or by Google's. */
    gtag: (...call: any[]) => void;
    dataLayer: any[];
    layer: any[];
    /** What a plugin of a shop pushes by. */
    pushEcommerce: (event: string, ecommerce: object, more?: object) => void;
    /** How often a page has called the npm package's `install`. */
    installs?: number;
    /** What consent platforms put into a page, and what plays the visitor. */
    __tcfapi: any;
    consent_api: any;
    Cookiebot: any;
    isClosed: boolean;
    listener: any;
    OneTrust: any;
    OnetrustActiveGroups: string;
    Shopify: any;
    tell: (...said: any[]) => void;
    visitor: any;
    refused: string[];
    /** A benchmark's page: its tracker's call, and how long it took to be there. */
    send: (item: object) => void;
    readyMs: number;
    tagMs: number;
}

interface Array<T> {
    /** Some old libraries give arrays one. */
    toJSON?(): string;
}

interface RequestInit {
    /** What Cloudflare says of a request. */
    cf?: unknown;
}

declare module "cloudflare:workers" {
    export class WorkerEntrypoint {
        env: any;
    }
}

/** What a bundled Worker brings along, and what V8 has beyond the language's version here. */
declare module "*.js.txt" {
    const text: string;
    export default text;
}
declare module "*.wasm.bin" {
    const bytes: ArrayBuffer;
    export default bytes;
}
interface Uint8ArrayConstructor {
    fromBase64(text: string): Uint8Array<ArrayBuffer>;
}

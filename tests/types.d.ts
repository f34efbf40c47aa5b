// What the tests' pages have that a browser has not, and what workerd has that Node has not.

interface Window {
    /** The tracker's calls, or the stub that queues them until it is there. */
    shoptrail: any;
    /** What an injected script would set. */
    broken?: boolean;
    /** Lost when the page is loaded again. */
    stillHere?: boolean;
    /** What a page tried to store. */
    written: any[];
  /** How often a page asked for its turn to send. */
  turns: number;
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

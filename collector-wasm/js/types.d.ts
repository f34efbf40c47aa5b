// What the page has beside the browser's own, and the core by either of its programs.

interface CoreCalls {
    answer(gpc: boolean, said: number): number;
    consent(unasked: number, refused: number, analytics: number): number;
    session(seq: number, last: number, now: number): number;
    add(bytes: number, rank: number, since: number): number;
    overflow(): number;
    wait(clock: number): number;
    take(clock: number): number;
    take_leaving(clock: number, stored: boolean): number;
    member(request: number, after: number): number;
    settle(
        request: number,
        status: number,
        isEdges: boolean,
        retryAfter: number,
        clock: number,
        random: number,
    ): boolean | number;
    failures(): number;
    not_before(): number;
    back_off(failures: number, wait: number, clock: number): void;
    online(clock: number, random: number): void;
    rewind(): void;
}

type Fields = Record<string, unknown>;

/** What the parts that are loaded late get of the others. */
interface LateParts {
    track(type: string, fields: Fields): void;
    identify(fields: { user_id?: unknown }): void;
    consent(said: { analytics?: unknown; ads?: unknown }): void;
    chosen(): { analytics: string; ads: string };
    page(): { page_url: string; page_title?: string; referrer_url?: string };
    searched(): unknown;
    onAddress(work: () => void): void;
    beforeHiding(work: () => void): void;
    isOff(name: string): boolean;
    setting(name: string): string | undefined;
    on(target: EventTarget, type: string, listener: (event: any) => unknown): void;
    guard<Args extends unknown[]>(work: (...args: Args) => unknown): (...args: Args) => void;
    attempt<Result>(work: () => Result): Result | undefined;
}

type Shoptrail = ((...call: unknown[]) => void) & {
    q?: IArguments[] | unknown[][];
    loaded?: boolean;
};

interface Window {
    shoptrail?: Shoptrail;
    shoptrailConfig?: Record<string, string>;
}

interface Navigator {
    globalPrivacyControl?: boolean;
}

interface Document {
    prerendering?: boolean;
}

declare const VERSION: string;

/** The names of the late parts' files. */
declare const BEHAVIOUR: string;
declare const CONSENT_PLATFORMS: string;
declare const ERRORS: string;
declare const GA4: string;
declare const PANEL: string;

declare module "shoptrail-module" {
    const address: string;
    export default address;
}

declare module "shoptrail-debug-module" {
    const address: string;
    export default address;
}

declare module "shoptrail-debug-glue" {
    export default function initialize(options: { module_or_path: URL }): Promise<unknown>;
    export class Panel {
        sent(body: string): void;
        answered(status: number, reply: string): void;
    }
}

// What the page has beside the browser's own.

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
    Temporal?: { Now: { timeZoneId(): string } };
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

import { Tracker } from "./tracker";

export const metadata = { title: "Shop" };

export default function Layout({ children }) {
    return (
        <html lang="en">
            <body>
                {children}
                <Tracker />
            </body>
        </html>
    );
}

import { Add } from "./add";

export const metadata = { title: "Mug" };

export default function Mug() {
    return <Add />;
}

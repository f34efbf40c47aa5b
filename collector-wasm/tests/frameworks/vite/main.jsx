// A shop of two pages in React, with a router, in React's strict mode.

import { StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Link, Route, Routes } from "react-router";
import { install, shoptrail } from "shoptrail-tracker";

function Tracker() {
    useEffect(() => {
        window.installs = (window.installs ?? 0) + 1;
        install({ src: "https://track.shop.example/t.js", key: "pk_test" });
    }, []);
    return null;
}

const MUG = { item_id: "mug", item_name: "Mug", price: 12.5 };

function Home() {
    return <Link to="/mug">Mug</Link>;
}

function Mug() {
    useEffect(() => {
        document.title = "Mug";
    });
    const add = () => shoptrail("add_to_cart", { currency: "EUR", value: 12.5, items: [MUG] });
    return <button onClick={add}>Add to cart</button>;
}

createRoot(document.getElementById("root")).render(
    <StrictMode>
        <Tracker />
        <BrowserRouter>
            <Routes>
                <Route path="/" element={<Home />} />
                <Route path="/mug" element={<Mug />} />
            </Routes>
        </BrowserRouter>
    </StrictMode>,
);

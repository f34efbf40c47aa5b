//! The panel in the page's corner, and the same on the console. Everything is written as text, and styled without a style
//! sheet: the page's Content-Security-Policy may allow none.

use std::collections::BTreeSet;

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::{Document, Element, HtmlElement, ShadowRootInit, ShadowRootMode, console};

use crate::verdict::{self, Verdict};

/// Most rows that are kept; the oldest goes.
const ROWS: u32 = 200;

const HOST: &str = "position: fixed; right: 8px; bottom: 8px; z-index: 2147483647";
const BOX: &str = "max-width: 40em; max-height: 50vh; overflow: auto; padding: 8px; background: #fff; color: #111; \
    border: 1px solid #888; font: 12px/1.4 monospace; text-align: left";
const GOOD: &str = "color: #06502b";
const UNUSUAL: &str = "color: #6b4700";
const BAD: &str = "color: #9c1111";
const TEXT: &str = "margin: 0 0 4px 1em; white-space: pre-wrap; overflow-wrap: anywhere";

/// The panel of a page.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Panel {
    document: Document,
    rows: Element,
    /// The ids of the events that were shown.
    shown: BTreeSet<String>,
}

#[wasm_bindgen]
impl Panel {
    /// Puts an empty panel into the page.
    ///
    /// # Errors
    /// Returns an error if the page refuses a step.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Panel, JsValue> {
        let document = web_sys::window()
            .and_then(|window| window.document())
            .ok_or("no document")?;
        let host = element(&document, "div", HOST)?;
        // What is clicked in here is no event.
        host.set_attribute("data-st-ignore", "")?;
        let shadow = host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open))?;
        let rows = element(&document, "details", BOX)?;
        rows.set_attribute("open", "")?;
        let heading = element(&document, "summary", "")?;
        heading.set_text_content(Some("Shoptrail: events sent"));
        rows.append_child(&heading)?;
        shadow.append_child(&rows)?;
        document
            .document_element()
            .ok_or("no root element")?
            .append_child(&host)?;
        let rows = rows.into();
        Ok(Self {
            document,
            rows,
            shown: BTreeSet::new(),
        })
    }

    /// Shows the events of a request that goes to the edge now, but for those that were sent before.
    ///
    /// # Errors
    /// Returns an error if the body is no batch, or the page refuses a step.
    pub fn sent(&mut self, body: &str) -> Result<(), JsValue> {
        let verdicts = verdict::of_body(body).map_err(|error| error.to_string())?;
        for verdict in verdicts {
            if self.shown.contains(&verdict.event_id) {
                continue;
            }
            self.show_event(&verdict)?;
            self.shown.insert(verdict.event_id);
        }
        Ok(())
    }

    /// Shows what the edge answered; status 0 stands for no answer.
    ///
    /// # Errors
    /// Returns an error if the page refuses a step.
    pub fn answered(&self, status: u16, reply: &str) -> Result<(), JsValue> {
        let is_accepted = status == 202;
        let title = if status == 0 {
            "the edge did not answer: sent again later".to_owned()
        } else {
            format!("the edge answered {status}")
        };
        self.show(&title, if is_accepted { GOOD } else { BAD }, &[reply])?;
        if !is_accepted {
            console::warn_2(&format!("shoptrail: {title}").into(), &reply.into());
        }
        Ok(())
    }

    fn show_event(&self, verdict: &Verdict) -> Result<(), JsValue> {
        let (style, word) = match (verdict.is_accepted, verdict.remarks.is_empty()) {
            (true, true) => (GOOD, "accepted"),
            (true, false) => (UNUSUAL, "accepted with warnings"),
            (false, _) => (BAD, "rejected"),
        };
        let title = format!("{}: {word}", verdict.title);
        let remarks = verdict.remarks.join("\n");
        self.show(&title, style, &[&remarks, &verdict.text])?;
        let said = [
            format!("shoptrail: {title}").into(),
            remarks.into(),
            verdict.text.as_str().into(),
        ];
        let [title, remarks, text] = &said;
        if verdict.is_accepted && verdict.remarks.is_empty() {
            console::debug_2(title, text);
        } else {
            console::warn_3(title, remarks, text);
        }
        Ok(())
    }

    /// Adds a row: a title, and texts that are seen when it is opened.
    fn show(&self, title: &str, style: &str, texts: &[&str]) -> Result<(), JsValue> {
        let row = element(&self.document, "details", "")?;
        let summary = element(&self.document, "summary", style)?;
        summary.set_text_content(Some(title));
        row.append_child(&summary)?;
        for text in texts.iter().filter(|text| !text.is_empty()) {
            let shown = element(&self.document, "pre", TEXT)?;
            shown.set_text_content(Some(text));
            row.append_child(&shown)?;
        }
        self.rows.append_child(&row)?;
        // The first child is the panel's heading.
        if self.rows.child_element_count() > ROWS + 1
            && let Some(oldest) = self
                .rows
                .first_element_child()
                .and_then(|heading| heading.next_element_sibling())
        {
            oldest.remove();
        }
        Ok(())
    }
}

fn element(document: &Document, name: &str, style: &str) -> Result<HtmlElement, JsValue> {
    let element: HtmlElement = wasm_bindgen::JsCast::unchecked_into(document.create_element(name)?);
    element.style().set_css_text(style);
    Ok(element)
}

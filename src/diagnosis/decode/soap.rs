//! SOAP messages: envelopes, faults of both versions, and what Exchange Web Services put into them.
//!
//! Reads the redacted text. A response of status 200 may hold errors: EWS gives each item a `ResponseClass`.

use super::xml::{Part, Tag, local, parts};
use super::{Decoded, Row};
use crate::diagnosis::{Case, Place};
use crate::redact::{Clean, Content};

/// Errors kept of one message: a batch may repeat one for every item.
const ERRORS: usize = 8;

/// One SOAP message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Soap<'a> {
    /// `1.1` or `1.2`, where the envelope's namespace says so.
    pub version: Option<&'static str>,
    /// The first element of the body: `GetFolder`, `GetFolderResponse`, `Fault`.
    pub operation: &'a str,
    /// Whether its namespaces are those of Exchange.
    pub exchange: bool,
    /// The fault's code without its prefix, the most particular one; empty where there is no fault or no code.
    pub fault: &'a str,
    /// What went wrong, each code once, in order: of a fault, and of the items of a response.
    pub errors: Vec<SoapError<'a>>,
    /// `BackOffMilliseconds`: how long the client shall wait.
    pub back_off: Option<u64>,
    /// `ServerVersionInfo`: major, minor, build, revision.
    pub server: Option<[&'a str; 4]>,
    /// Whether the request asks to act as another user (`ExchangeImpersonation`).
    pub impersonates: bool,
    /// Whose mailbox the request is about: whom it acts as, else the address beside the folder's name. Empty where it
    /// names nobody.
    pub mailbox: &'a str,
}

/// One error in a SOAP message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoapError<'a> {
    /// `ResponseCode` or `ErrorCode`; of a fault without one its own code; empty where there is none.
    pub code: &'a str,
    /// What it says.
    pub text: &'a str,
}

impl<'a> Soap<'a> {
    /// Reads a message, or a fault alone that somebody copied. Nothing where the text is none.
    pub fn read(text: &'a str) -> Option<Self> {
        if !text.trim_start().starts_with('<') {
            return None;
        }
        let mut read = Reading::default();
        for part in parts(text) {
            match part {
                Part::Open(tag) => read.open(tag),
                Part::Text(words) => read.text(words),
                Part::Close => read.close(),
            }
            if read.foreign {
                return None;
            }
        }
        // A message that was cut off still says what it says.
        while !read.path.is_empty() {
            read.close();
        }
        read.begun.then_some(read.soap)
    }

    /// The first error whose code is one of these.
    pub fn error(&self, codes: &[&str]) -> Option<&SoapError<'a>> {
        self.errors.iter().find(|error| codes.iter().any(|code| error.code.eq_ignore_ascii_case(code)))
    }
}

/// The message in the request, as a person reads it.
pub(super) fn sent(case: &Case<'_>) -> Option<Decoded> {
    decoded(Place::RequestBody, text_of(&case.exchange.request.seen()?.body.content)?)
}

/// The message in the response, as a person reads it.
pub(super) fn received(case: &Case<'_>) -> Option<Decoded> {
    decoded(Place::ResponseBody, text_of(&case.exchange.response.seen()?.message.body.content)?)
}

fn text_of(content: &Content) -> Option<&Clean> {
    match content {
        Content::Text { text, .. } => Some(text),
        Content::Empty | Content::Withheld(_) => None,
    }
}

fn decoded(place: Place, text: &Clean) -> Option<Decoded> {
    let soap = Soap::read(text.as_str())?;
    let mut rows = Vec::new();
    let mut row = |name, words: &str| {
        if !words.is_empty() {
            rows.push(Row { name, value: text.part(words) });
        }
    };
    row("operation", soap.operation);
    row("mailbox", soap.mailbox);
    row("faultcode", soap.fault);
    for error in &soap.errors {
        row("ResponseCode", error.code);
        row("MessageText", error.text);
    }
    rows.extend(soap.version.map(|version| Row { name: "version", value: version.into() }));
    if soap.impersonates {
        rows.push(Row { name: "ExchangeImpersonation", value: "yes".into() });
    }
    rows.extend(soap.back_off.map(|wait| Row { name: "BackOffMilliseconds", value: wait.into() }));
    if let Some(numbers) = soap.server {
        let [major, minor, build, revision] =
            numbers.map(|number| if number == "0" { "0".into() } else { text.part(number) });
        let value = Clean::concat([major, ".".into(), minor, ".".into(), build, ".".into(), revision]);
        rows.push(Row { name: "ServerVersionInfo", value });
    }
    (!rows.is_empty()).then_some(Decoded { title: "SOAP", place, rows })
}

/// A message while it is read.
#[derive(Default)]
struct Reading<'a> {
    soap: Soap<'a>,
    /// The open elements' names.
    path: Vec<&'a str>,
    begun: bool,
    /// The root is no envelope.
    foreign: bool,
    /// What is being told: the depth of its element, and whether it is an error.
    telling: Option<(usize, bool)>,
    error: SoapError<'a>,
    /// The next value is the back-off.
    back_off: bool,
}

impl<'a> Reading<'a> {
    fn open(&mut self, tag: Tag<'a>) {
        if !self.begun {
            self.begun = tag.is("Envelope") || tag.is("Fault");
            self.foreign = !self.begun;
        }
        for namespace in tag.namespaces() {
            match namespace {
                "http://schemas.xmlsoap.org/soap/envelope/" => self.soap.version = Some("1.1"),
                "http://www.w3.org/2003/05/soap-envelope" => self.soap.version = Some("1.2"),
                _ => self.soap.exchange |= is_exchange(namespace),
            }
        }
        if self.soap.operation.is_empty()
            && self.path.last().is_none_or(|parent| is(parent, "Body"))
            && !tag.is("Envelope")
        {
            self.soap.operation = tag.name;
        }
        if tag.is("Fault") && self.telling.is_none() {
            self.telling = Some((self.path.len(), true));
        } else if let Some(class) = tag.attribute("ResponseClass").filter(|_| self.telling.is_none()) {
            self.telling = Some((self.path.len(), is(class, "Error")));
        } else if tag.is("ServerVersionInfo") {
            let number = |name| tag.attribute(name).filter(|number| is_number(number));
            self.soap.server = number("MajorVersion").zip(number("MinorVersion")).map(|(major, minor)| {
                let later = |name| number(name).unwrap_or("0");
                [major, minor, later("MajorBuildNumber"), later("MinorBuildNumber")]
            });
            self.soap.exchange |= self.soap.server.is_some();
        } else if tag.is("ExchangeImpersonation") {
            self.soap.impersonates = true;
        }
        self.back_off = tag.is("Value") && tag.attribute("Name").is_some_and(|name| is(name, "BackOffMilliseconds"));
        self.path.push(tag.name);
    }

    fn text(&mut self, words: &'a str) {
        let mut names = self.path.iter().rev();
        let (name, parent) = (names.next().unwrap_or(&""), names.next().unwrap_or(&""));
        if self.back_off {
            self.soap.back_off = words.parse().ok();
            return;
        }
        let in_code = is(parent, "Code") || is(parent, "Subcode");
        let acts_as = is(parent, "ConnectingSID");
        if acts_as || (is(name, "EmailAddress") && is(parent, "Mailbox") && self.soap.mailbox.is_empty()) {
            self.soap.mailbox = words;
        } else if is(name, "faultcode") || (is(name, "Value") && in_code) {
            self.soap.fault = local(words);
        } else if is(name, "ResponseCode") || is(name, "ErrorCode") {
            if is(words, "NoError") {
                return;
            }
            self.error.code = local(words);
            // Of an answer without classes (Autodiscover) the code alone tells.
            if self.telling.is_none() {
                self.telling = Some((self.path.len().saturating_sub(2), true));
            }
        } else {
            let spoken = ["MessageText", "ErrorMessage", "Message"].iter().any(|wanted| is(name, wanted));
            let general = is(name, "faultstring") || (is(name, "Text") && is(parent, "Reason"));
            if spoken || (general && self.error.text.is_empty()) {
                self.error.text = words;
            }
        }
    }

    fn close(&mut self) {
        self.path.pop();
        let depth = self.path.len();
        let Some((_, wrong)) = self.telling.take_if(|(from, _)| depth <= *from) else { return };
        let mut error = std::mem::take(&mut self.error);
        if error.code.is_empty() && wrong {
            error.code = self.soap.fault;
        }
        let known = self.soap.errors.iter().any(|known| known.code == error.code);
        if wrong && error != SoapError::default() && !known && self.soap.errors.len() < ERRORS {
            self.soap.errors.push(error);
        }
    }
}

fn is(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The namespaces of EWS, of Autodiscover and of the mailbox replication service.
fn is_exchange(namespace: &str) -> bool {
    const STEMS: [&str; 2] =
        ["schemas.microsoft.com/exchange/", "schemas.datacontract.org/2004/07/microsoft.exchange."];
    let plain = namespace.strip_prefix("http://").or_else(|| namespace.strip_prefix("https://")).unwrap_or(namespace);
    STEMS.iter().any(|stem| plain.get(..stem.len()).is_some_and(|start| start.eq_ignore_ascii_case(stem)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::redact::{Redactor, Syntax};

    const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
    const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
    const ERRORS: &str = "http://schemas.microsoft.com/exchange/services/2006/errors";

    /// As it is kept.
    fn kept(text: &str) -> Clean {
        Redactor::new().wire().body_text(Syntax::Xml, text.as_bytes())
    }

    fn envelope(header: &str, body: &str) -> Clean {
        kept(&format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<s:Envelope \
             xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>{header}</s:Header><s:Body>{body}</s:Body>\
             </s:Envelope>"
        ))
    }

    #[test]
    fn a_fault_of_ews_says_its_code_and_how_long_to_wait() {
        let body = envelope(
            "",
            &format!(
                "<s:Fault><faultcode xmlns:a=\"{TYPES}\">a:ErrorServerBusy</faultcode><faultstring \
                 xml:lang=\"en-US\">The server cannot service this request right now. Try again later.</faultstring>\
                 <detail><e:ResponseCode xmlns:e=\"{ERRORS}\">ErrorServerBusy</e:ResponseCode><e:Message \
                 xmlns:e=\"{ERRORS}\">Try again later.</e:Message><t:MessageXml xmlns:t=\"{TYPES}\"><t:Value \
                 Name=\"Policy\">CPUStartPercent</t:Value><t:Value Name=\"BackOffMilliseconds\">297749</t:Value>\
                 </t:MessageXml></detail></s:Fault>"
            ),
        );
        let soap = Soap::read(body.as_str()).unwrap();
        assert_eq!((soap.version, soap.operation, soap.fault), (Some("1.1"), "Fault", "ErrorServerBusy"));
        assert_eq!(soap.errors, [SoapError { code: "ErrorServerBusy", text: "Try again later." }]);
        assert_eq!((soap.back_off, soap.exchange), (Some(297_749), true));
    }

    #[test]
    fn a_batch_tells_each_error_once_and_no_success() {
        let item = |class: &str, text: &str, code: &str| {
            format!(
                "<m:GetItemResponseMessage ResponseClass='{class}'>{text}<m:ResponseCode>{code}</m:ResponseCode>\
                 <m:DescriptiveLinkKey>0</m:DescriptiveLinkKey></m:GetItemResponseMessage>"
            )
        };
        let denied = item("Error", "<m:MessageText>Access is denied.</m:MessageText>", "ErrorAccessDenied");
        let items = [
            item("Success", "", "NoError"),
            denied.clone(),
            denied,
            item("Warning", "", "ErrorBatchProcessingStopped"),
        ];
        let body = envelope(
            &format!(
                "<h:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"1\" MajorBuildNumber=\"2507\" \
                 MinorBuildNumber=\"55\" Version=\"V2017_07_11\" xmlns:h=\"{TYPES}\"/>"
            ),
            &format!(
                "<m:GetItemResponse xmlns:m=\"{MESSAGES}\"><m:ResponseMessages>{}</m:ResponseMessages>\
                 </m:GetItemResponse>",
                items.concat()
            ),
        );
        let soap = Soap::read(body.as_str()).unwrap();
        assert_eq!(soap.operation, "GetItemResponse");
        assert_eq!(soap.errors, [SoapError { code: "ErrorAccessDenied", text: "Access is denied." }]);
        assert_eq!(soap.server, Some(["15", "1", "2507", "55"]));
        assert!(soap.error(&["erroraccessdenied"]).is_some() && soap.error(&["ErrorItemNotFound"]).is_none());
    }

    #[test]
    fn soap_1_2_faults_are_read_to_the_subcode() {
        let body = kept(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Code><s:Value>\
             s:Sender</s:Value><s:Subcode><s:Value xmlns:a=\"urn:x\">a:InvalidSecurity</s:Value></s:Subcode></s:Code>\
             <s:Reason><s:Text xml:lang=\"en-US\">An error occurred when verifying security for the message.</s:Text>\
             </s:Reason></s:Fault></s:Body></s:Envelope>",
        );
        let soap = Soap::read(body.as_str()).unwrap();
        let text = "An error occurred when verifying security for the message.";
        assert_eq!((soap.version, soap.fault, soap.exchange), (Some("1.2"), "InvalidSecurity", false));
        assert_eq!(soap.errors, [SoapError { code: "InvalidSecurity", text }]);
    }

    #[test]
    fn a_request_tells_its_operation_and_whether_it_impersonates() {
        let body = kept(&format!(
            "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"{TYPES}\" \
             xmlns:m=\"{MESSAGES}\"><soap:Header><t:RequestServerVersion Version=\"Exchange2013_SP1\"/>\
             <t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>avery@contoso.com</t:PrimarySmtpAddress>\
             </t:ConnectingSID></t:ExchangeImpersonation></soap:Header><soap:Body><m:GetFolder/></soap:Body>\
             </soap:Envelope>"
        ));
        let soap = Soap::read(body.as_str()).unwrap();
        assert_eq!((soap.operation, soap.impersonates, soap.exchange), ("GetFolder", true, true));
        assert_eq!(soap.mailbox, "user#1@contoso.com");
        assert!(soap.errors.is_empty());
    }

    #[test]
    fn faults_alone_and_cut_ones_are_read_and_other_xml_is_not() {
        let fault = Soap::read("<Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring>").unwrap();
        assert_eq!(fault.errors, [SoapError { code: "Client", text: "no" }]);
        for other in ["<Autodiscover/>", "<html><body>Envelope</body></html>", "Envelope", "", "<", "{\"a\":1}"] {
            assert_eq!(Soap::read(other), None, "{other}");
        }
    }

    #[test]
    fn a_person_reads_rows() {
        let body = kept(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:Server\
             </faultcode><faultstring>Oops</faultstring></s:Fault></s:Body></s:Envelope>",
        );
        let seen = decoded(Place::ResponseBody, &body).unwrap();
        let rows: Vec<_> = seen.rows.iter().map(|row| (row.name, row.value.as_str())).collect();
        let expected = [
            ("operation", "Fault"),
            ("faultcode", "Server"),
            ("ResponseCode", "Server"),
            ("MessageText", "Oops"),
            ("version", "1.1"),
        ];
        assert_eq!(rows, expected);
    }
}

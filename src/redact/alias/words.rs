//! Words that tell nobody whose traffic it was: those of hosts everywhere, and those of the protocols.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::redact::names;

/// Labels that hosts have everywhere. They stay.
const HOSTS: &str = "mail webmail owa ews eas oab mapi rpc activesync autodiscover autodiscover-s exchange exch outlook \
    smtp imap pop pop3 mx adfs sts fs legacy hybrid mrs mrsproxy mrsproxy-svc migration cas hub edge mbx dag www web \
    remote vpn proxy gateway gw login logon signin sso auth oauth idp portal api app apps ad dc corp int internal ext \
    external extern intern intranet extranet dmz dev test qa uat prod stage staging lab cloud local localdomain localhost \
    lan wan mobile m enterpriseregistration enterpriseenrollment lyncdiscover lyncdiscoverinternal sip meet dialin \
    sharepoint teams onedrive relay lb nlb vip f5 bigip waf kemp netscaler citrix tmg isa arr wap cdn static ns ns1 ns2 \
    ntp dns ldap kdc ca pki crl ocsp aia wpad registry docker git gitlab graph token id identity account accounts my \
    home server servers client clients host hosts www1 www2 primary secondary backup dr node cluster old new default \
    unseen upstream origin backend frontend internalmail externalmail webmail2 msoid bluecoat zscaler squid fortigate \
    fortiweb sophos barracuda mimecast proofpoint okta duo ping iis apache nginx tomcat haproxy envoy traefik kong \
    net com org co ac go or ne gov edu";

/// Words of the protocols and of sentences about them. They stay where they stand alone; in the place of a name they are
/// names.
const PROTOCOLS: &str = "http https http2 tls ssl tcp udp ip ipv4 ipv6 host port url uri urn xml html json soap wsdl xsd \
    utf ascii base64 gzip deflate brotli chunked identity compress keep alive close connection upgrade transfer encoding \
    content type length language range accept charset cache control pragma expires date age vary etag last modified since \
    match none cookie set path secure httponly samesite lax strict max domain version server via warning location referer \
    user agent allow options get post put patch delete head trace connect propfind proppatch mkcol copy move lock unlock \
    search subscribe poll notify report rpc_in_data rpc_out_data basic bearer digest ntlm negotiate kerberos spnego wwan \
    authenticate authorization authentication proxy realm nonce opaque algorithm stale scope error description invalid \
    expired token tokens access refresh denied forbidden unauthorized failed failure fail success succeeded request \
    response status reason code message messages header headers body method client server service services principal name \
    names password passwords secret key keys certificate certificates signature signed signing issuer issuers audience \
    audiences claim claims claim's value values role roles tenant tenants directory application applications app appid \
    resource resources consent grant granted permission permissions account accounts user users group groups mailbox \
    mailboxes folder folders item items sync provision policy policies device devices session sessions timeout time timed \
    out not found exist exists available unavailable enabled disabled allowed blocked locked required missing unknown \
    unsupported supported valid validation verify verified wrong bad good ok yes no true false null this that the and for \
    with from was has have had been are but its you your they them their can cannot could should would will may must more \
    than then when where which who whose what how all any some one two three first second third next previous again only \
    also into over under after before between because while about against does did done use used using user's see please \
    contact administrator admin admins help support try retry later now here there microsoft windows office outlook \
    exchange entra azure active sharepoint onedrive teams graph lync skype business online internet explorer edge chrome \
    chromium firefox safari mozilla gecko applewebkit webkit trident msie android iphone ipad ios macos mac linux ubuntu \
    debian darwin apple google amazon java python ruby node curl wget postman fiddler mitmproxy charles burp wireshark \
    powershell dotnet asp net iis apache nginx kestrel cloudflare akamai github gitlab docker library bittitan \
    migrationwiz migration migrate proxy-connection type1 type2 type3 flags cbt upn down level bare computer etype kvno \
    build mic offered chosen state jwt jwe alg aud iss tid scp amr acr ver idtyp iat nbf exp hidden form set padded empty \
    unreadable zero ours other plain damaged quoted broken double mechanism accept incomplete completed reject kid typ enc \
    rs256 rs384 rs512 ps256 es256 hs256 sha1 sha256 md5 aes rc4 des cp1 pwd mfa rsa wia fido onprem_sid nonce access_as_user \
    full_access_as_app mail read write readwrite send calendars contacts files sites impersonation delegated default \
    offline_access openid profile email common organizations consumers oauth2 v1 v2 v2.0 authorize saml ws-trust ws-fed \
    wsfed adfs trust federation federated managed cloud premises onprem on-premises hybrid legacy modern protocol protocols \
    extended protection channel binding bindings mismatch hostname component expected actual scheme issued until future \
    flighting category categories diagnostics throttle throttled throttling back off busy overload overloaded limit limits \
    quota exceeded redirect redirected redirection moved permanently temporary temporarily gateway bad internal \
    implemented acceptable conflict gone large entity unprocessable too many teapot loop detected anonymous guest person \
    live liveid id liveidbasicauth legacyauth appauth appaccess legacyexchangetokens sts federatedstsunreachable \
    unauthenticated unauthenticatedrequest usernotfound autodiscover autodiscovery settings setting action redirecturl \
    redirectaddr internal external internalurl externalurl ewsurl asurl oaburl protocolversion emsmdb nspi ews mapi rpc \
    rpcproxy dll asmx svc aspx ashx xml json php html public private shared department finance sales marketing test \
    press share point micro soft ware orange target shell delta total visa gap next apple oracle signal origin store \
    creator entries started startedus sentus firstbyteus doneus entry log comment pages timings send wait receive dns \
    blocked params querystring cookies headerssize bodysize postdata mimetype statustext redirecturl httpversion size run \
    running connection opened version socket interim trailers odd fields early complete length messages lost member raw \
    session sessions flag flags timer timers clientconnected serverconnected sid bitflags metadata authtap authtap/1 \
    whole excerpt stripped seen unseen text binary ping pong withheld undecodable recorded";

static HOST_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| HOSTS.split_whitespace().collect());
static WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| HOSTS.split_whitespace().chain(PROTOCOLS.split_whitespace()).collect());

/// Whether a label, in any letter case, is one that hosts have everywhere, with a number behind it or without.
pub(super) fn is_everywhere(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    let bare = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = lower.len() - bare.len() <= 4;
    HOST_WORDS.contains(&*lower) || (numbered && HOST_WORDS.contains(bare.trim_end_matches(['-', '_'])))
}

/// Whether a word, in any letter case, is one of the protocols.
pub(super) fn is_known(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    WORDS.contains(&*lower) || is_everywhere(&lower) || names::known(&lower).is_some()
}

/// Whether a label (in lower case) names somebody where it stands alone. Two letters, numbers and words of the protocols
/// do not.
pub(super) fn is_telling(label: &str) -> bool {
    let apart = |label: &str| label.split(['-', '_', '.', ' ']).all(|part| is_known(part) || part.len() < 2);
    label.len() >= 3 && !label.bytes().all(|byte| byte.is_ascii_digit()) && !apart(label)
}

/// Whether it does so inside of a longer word as well: `ContosoMail/1.0`.
pub(super) fn is_telling_inside(label: &str) -> bool {
    label.len() >= 5
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !WORDS.iter().any(|word| word.contains(label))
        && !names::is_part(label)
}

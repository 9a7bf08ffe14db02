//! What to do with the root certificate and the proxy's address on each system, and how to undo it.
//!
//! Places: `{address}` is `host:port` of the proxy, `{host}` and `{port}` its parts, `{pac}` the URL of the PAC file,
//! `{name}` the name of the root.

use crate::text::Text;

/// A system, or a program with a store of its own.
pub(super) struct System {
    /// Its anchor on the page.
    pub(super) id: &'static str,
    pub(super) name: Text,
    pub(super) steps: &'static [Step],
    /// How to take it all back.
    pub(super) undo: &'static [Step],
}

/// One step.
pub(super) enum Step {
    /// Something to do.
    Do(Text),
    /// The command for the step before it.
    Run(&'static str),
    /// Something to know.
    Note(Text),
}

use Step::{Do, Note, Run};

/// In the order of the page.
pub(super) const SYSTEMS: [System; 7] = [WINDOWS, MACOS, IOS, ANDROID, FIREFOX, JAVA, LINUX];

const WINDOWS: System = System {
    id: "windows",
    name: Text { en: "Windows", ja: "Windows" },
    steps: &[
        Do(Text {
            en: "Download the certificate (.cer) and import it for your account, in a command prompt. Windows asks once.",
            ja: "証明書 (.cer) をダウンロードし、コマンド プロンプトで自分のアカウントに登録します。確認が 1 回表示されます。",
        }),
        Run(r#"certutil -user -addstore Root "%USERPROFILE%\Downloads\authtap-ca.cer""#),
        Do(Text {
            en: "For services and other accounts, in an elevated command prompt:",
            ja: "サービスやほかのアカウントでも使う場合は、管理者のコマンド プロンプトで:",
        }),
        Run(r#"certutil -addstore Root "%USERPROFILE%\Downloads\authtap-ca.cer""#),
        Do(Text {
            en: "For many machines, with Group Policy: Computer Configuration › Policies › Windows Settings › Security \
                 Settings › Public Key Policies › Trusted Root Certification Authorities › Import.",
            ja: "多数のマシンに配布する場合は、グループ ポリシー: コンピューターの構成 › ポリシー › Windows の設定 › セキュリティの設定 › \
                 公開キーのポリシー › 信頼されたルート証明機関 › インポート。",
        }),
        Do(Text {
            en: "Settings › Network & internet › Proxy: manual with {host} and port {port}, or the setup script {pac}. \
                 Restart Outlook and Office; they read the setting when they start.",
            ja: "設定 › ネットワークとインターネット › プロキシ: 手動で {host}、ポート {port} を指定するか、セットアップ スクリプトに {pac} を\
                 指定します。Outlook と Office は起動時に設定を読み込むため、再起動してください。",
        }),
        Do(Text {
            en: "Services and migration tools take the proxy of WinHTTP. In an elevated command prompt:",
            ja: "サービスや移行ツールは WinHTTP のプロキシを使います。管理者のコマンド プロンプトで:",
        }),
        Run("netsh winhttp set proxy {address}"),
        Note(Text {
            en: "Firefox and Java have stores of their own.",
            ja: "Firefox と Java には独自のストアがあります。",
        }),
    ],
    undo: &[
        Run(r#"certutil -user -delstore Root "{name}""#),
        Run(r#"certutil -delstore Root "{name}""#),
        Run("netsh winhttp reset proxy"),
        Do(Text { en: "Switch the proxy off in Settings.", ja: "設定でプロキシをオフにします。" }),
    ],
};

const MACOS: System = System {
    id: "macos",
    name: Text { en: "macOS", ja: "macOS" },
    steps: &[
        Do(Text {
            en: "Download the certificate (.pem) and trust it, in Terminal:",
            ja: "証明書 (.pem) をダウンロードし、ターミナルで信頼済みにします:",
        }),
        Run(
            "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ~/Downloads/authtap-ca.pem",
        ),
        Note(Text {
            en: "Or open the .cer file in Keychain Access, open the certificate there, and set Trust › When using this \
                 certificate to Always Trust.",
            ja: "または .cer をキーチェーンアクセスで開き、証明書の「信頼」›「この証明書を使用するとき」を「常に信頼」にします。",
        }),
        Do(Text {
            en: "System Settings › Network › your network › Details › Proxies: {host} and {port} for Web and Secure web \
                 proxy, or {pac} under Automatic proxy configuration.",
            ja: "システム設定 › ネットワーク › 使用中のネットワーク › 詳細 › プロキシ: Web プロキシと保護された Web プロキシに {host} と {port}、\
                 または自動プロキシ構成に {pac}。",
        }),
    ],
    undo: &[
        Run(r#"security delete-certificate -t -c "{name}" ~/Library/Keychains/login.keychain-db"#),
        Do(Text { en: "Switch the proxies off.", ja: "プロキシの設定をオフにします。" }),
    ],
};

const IOS: System = System {
    id: "ios",
    name: Text { en: "iPhone and iPad", ja: "iPhone と iPad" },
    steps: &[
        Do(Text {
            en: "Open this page in Safari, tap the profile above, and allow the download.",
            ja: "このページを Safari で開き、上のプロファイルをタップして、ダウンロードを許可します。",
        }),
        Do(Text {
            en: "Install it: Settings › General › VPN & Device Management › {name} › Install.",
            ja: "インストール: 設定 › 一般 › VPN とデバイス管理 › {name} › インストール。",
        }),
        Do(Text {
            en: "Enable it: Settings › General › About › Certificate Trust Settings, and switch {name} on. Without this step \
                 it is installed and not trusted.",
            ja: "有効化: 設定 › 一般 › 情報 › 証明書信頼設定 で {name} をオンにします。この手順がないと、インストールされても信頼されません。",
        }),
        Do(Text {
            en: "Settings › Wi-Fi › ⓘ beside your network › Configure Proxy: Manual with {host} and {port}, or Automatic with \
                 {pac}.",
            ja: "設定 › Wi-Fi › 使用中のネットワークの ⓘ › プロキシを構成: 手動で {host} と {port}、または自動で {pac}。",
        }),
        Note(Text {
            en: "The proxy holds for that Wi-Fi network and not for mobile data. Outlook for iOS signs in from the phone; its \
                 mail is fetched by Microsoft's cloud, which no proxy on the way sees.",
            ja: "プロキシはその Wi-Fi だけに適用され、モバイル通信には適用されません。iOS 版 Outlook のサインインは端末から行われますが、\
                 メールは Microsoft のクラウドが取得するため、途中のプロキシには現れません。",
        }),
    ],
    undo: &[Do(Text {
        en: "Delete the profile in VPN & Device Management, which undoes both steps, and set Configure Proxy to Off.",
        ja: "「VPN とデバイス管理」でプロファイルを削除し (両方の手順が取り消されます)、「プロキシを構成」をオフにします。",
    })],
};

const ANDROID: System = System {
    id: "android",
    name: Text { en: "Android", ja: "Android" },
    steps: &[
        Do(Text {
            en: "Download the certificate (.cer). Settings › Security & privacy › More › Encryption & credentials › Install a \
                 certificate › CA certificate. The way there differs from maker to maker; search the settings for \
                 \u{201c}CA certificate\u{201d}.",
            ja: "証明書 (.cer) をダウンロードします。設定 › セキュリティとプライバシー › その他の設定 › 暗号化と認証情報 › 証明書のインストール › \
                 CA 証明書。機種によって場所が異なるため、設定で「CA 証明書」を検索してください。",
        }),
        Do(Text {
            en: "Settings › Network & internet › your Wi-Fi network › edit › Advanced › Proxy: Manual with {host} and {port}, or \
                 Proxy Auto-Config with {pac}.",
            ja: "設定 › ネットワークとインターネット › 使用中の Wi-Fi › 編集 › 詳細オプション › プロキシ: 手動で {host} と {port}、\
                 またはプロキシの自動設定で {pac}。",
        }),
        Note(Text {
            en: "Chrome follows a certificate that the user installed. Other apps do only if their makers say so (network \
                 security configuration, since Android 7); most mail apps do not, and refuse. authtap shows the refusal; \
                 let such a host pass with --skip-decrypt, or look from the server's side with --reverse.",
            ja: "Chrome はユーザーが登録した証明書に従います。ほかのアプリは、開発元が許可した場合 (Android 7 以降のネットワーク セキュリティ構成) に\
                 限られ、多くのメール アプリは拒否します。authtap に拒否が表示されたら、--skip-decrypt でそのホストを通すか、\
                 --reverse でサーバー側から確認してください。",
        }),
    ],
    undo: &[Do(Text {
        en: "Encryption & credentials › User credentials › {name} › Remove; set Proxy to None.",
        ja: "「暗号化と認証情報」› ユーザー認証情報 › {name} › 削除。プロキシを「なし」に戻します。",
    })],
};

const FIREFOX: System = System {
    id: "firefox",
    name: Text { en: "Firefox and Thunderbird", ja: "Firefox と Thunderbird" },
    steps: &[
        Do(Text {
            en: "Settings › Privacy & Security › Certificates › View Certificates › Authorities › Import, and tick Trust this \
                 CA to identify websites.",
            ja: "設定 › プライバシーとセキュリティ › 証明書 › 証明書を表示 › 認証局証明書 › 読み込む。「この認証局によるウェブサイトの識別を信頼する」に\
                 チェックを付けます。",
        }),
        Note(Text {
            en: "Or let it follow the system: security.enterprise_roots.enabled in about:config.",
            ja: "システムのストアに従わせることもできます: about:config の security.enterprise_roots.enabled。",
        }),
        Do(Text {
            en: "Settings › General › Network Settings: manual with {host} and {port} for HTTP and HTTPS, or {pac} as the \
                 automatic configuration URL.",
            ja: "設定 › 一般 › ネットワーク設定: 手動で {host} と {port} (HTTPS にも使用)、または自動設定 URL に {pac}。",
        }),
    ],
    undo: &[Do(Text {
        en: "Delete {name} in the same list; set the network settings back.",
        ja: "同じ一覧から {name} を削除し、ネットワーク設定を元に戻します。",
    })],
};

const JAVA: System = System {
    id: "java",
    name: Text { en: "Java", ja: "Java" },
    steps: &[
        Do(Text {
            en: "Import the certificate (.cer) into the Java that the program runs on; programs often bring one of their own. \
                 The password is changeit.",
            ja: "プログラムが使う Java に証明書 (.cer) を登録します。プログラム独自の Java が同梱されていることもあります。\
                 パスワードは changeit です。",
        }),
        Run("keytool -importcert -cacerts -alias authtap -file authtap-ca.cer"),
        Do(Text { en: "Name the proxy when it starts:", ja: "起動時にプロキシを指定します:" }),
        Run(
            "java -Dhttp.proxyHost={host} -Dhttp.proxyPort={port} -Dhttps.proxyHost={host} -Dhttps.proxyPort={port} -jar PROGRAM.jar",
        ),
    ],
    undo: &[Run("keytool -delete -cacerts -alias authtap")],
};

const LINUX: System = System {
    id: "linux",
    name: Text { en: "Linux and single programs", ja: "Linux と個々のプログラム" },
    steps: &[
        Do(Text {
            en: "Better than the whole system is one program, with the downloaded .pem file:",
            ja: "システム全体より、プログラム単位の設定を勧めます (ダウンロードした .pem を使用):",
        }),
        Run("curl --proxy http://{address} --cacert authtap-ca.pem https://mail.contoso.com/"),
        Run(
            "export HTTPS_PROXY=http://{address} HTTP_PROXY=http://{address}\nexport REQUESTS_CA_BUNDLE=$PWD/authtap-ca.pem   # Python requests, exchangelib\nexport NODE_EXTRA_CA_CERTS=$PWD/authtap-ca.pem  # Node\nexport SSL_CERT_FILE=$PWD/authtap-ca.pem        # OpenSSL",
        ),
        Do(Text { en: "The whole system, Debian and Ubuntu:", ja: "システム全体、Debian と Ubuntu:" }),
        Run("sudo cp authtap-ca.pem /usr/local/share/ca-certificates/authtap-ca.crt && sudo update-ca-certificates"),
        Do(Text { en: "Fedora and RHEL:", ja: "Fedora と RHEL:" }),
        Run("sudo cp authtap-ca.pem /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust"),
    ],
    undo: &[
        Run("sudo rm /usr/local/share/ca-certificates/authtap-ca.crt && sudo update-ca-certificates --fresh"),
        Run("sudo rm /etc/pki/ca-trust/source/anchors/authtap-ca.pem && sudo update-ca-trust"),
    ],
};

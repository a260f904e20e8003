/* Formats of secrets that are known: the prefixes and lengths by which their makers let them be
 * recognised, and assignments to names that say so. Ids are those of gitleaks, so that dashboards
 * and configurations that name them hold. */
#include "components/loki/secretfilter/rules.h"

/* A token that is told by its own form, with nothing of a word on either side. */
#define TOKEN(form)  "\\b(" form ")(?:[^\\w-]|$)"
#define TOKENI(form) "(?i)\\b(" form ")(?:[^\\w-]|$)"
/* A value that is told by what it is assigned to: name, a few more letters, = or :, maybe quotes.
 * What stands before the name does not matter, and a search for it would cost the most. */
#define ASSIGNED(name, form)                                                                       \
    "(?i)(?:" name ")[\\w .\\t-]{0,20}[\\s'\"\\\\]{0,4}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)"         \
    "[\\x60'\"\\s=\\\\]{0,6}(" form ")(?:[\\x60'\"\\s;\\\\,}\\]]|$)"
#define HEX8       "[a-f0-9]{8}"
#define UUID       HEX8 "-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"
#define BASE64(ns) "[A-Za-z0-9+/]{" ns "}={0,3}"

static const struct builtin {
    const char *id, *regex, *keywords; /* separated by blanks */
    f64 entropy;
} builtins[] = {
    {"1password-secret-key",
     TOKEN("A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-"
           "9]{5}"),
     "a3-", 3.5},
    {"1password-service-account-token", "\\b(ops_eyJ" BASE64("250,") ")", "ops_eyj", 4},
    {"adafruit-api-key", ASSIGNED("adafruit", "[a-z0-9_-]{32}"), "adafruit", 3},
    {"adobe-client-secret", TOKENI("p8e-[a-z0-9]{32}"), "p8e-", 2},
    {"age-secret-key", "\\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})\\b",
     "age-secret-key-1", 0},
    {"airtable-api-key", ASSIGNED("airtable", "[a-z0-9]{17}"), "airtable", 3},
    {"airtable-personnal-access-token", "\\b(pat[A-Za-z0-9]{14}\\.[a-f0-9]{64})\\b", "pat", 3},
    {"algolia-api-key", ASSIGNED("algolia", "[a-z0-9]{32}"), "algolia", 3},
    {"alibaba-access-key-id", TOKENI("LTAI[a-z0-9]{20}"), "ltai", 2},
    {"alibaba-secret-key", ASSIGNED("alibaba", "[a-z0-9]{30}"), "alibaba", 2},
    {"anthropic-admin-api-key", TOKEN("sk-ant-admin01-[a-zA-Z0-9_\\-]{93}AA"), "sk-ant-admin01", 0},
    {"anthropic-api-key", TOKEN("sk-ant-api03-[a-zA-Z0-9_\\-]{93}AA"), "sk-ant-api03", 0},
    {"artifactory-api-key", "\\b(AKCp[A-Za-z0-9]{69})\\b", "akcp", 4.5},
    {"artifactory-reference-token", "\\b(cmVmd[A-Za-z0-9]{59})\\b", "cmvmd", 4.5},
    {"asana-client-secret", ASSIGNED("asana", "[a-z0-9]{32}"), "asana", 3},
    {"atlassian-api-token", "\\b(ATATT3[A-Za-z0-9_\\-=]{186})", "atatt3", 3.5},
    {"authress-service-client-access-key",
     TOKENI("(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\\.[a-z0-9]{4,6}\\.acc[_-][a-z0-9-]{10,32}\\."
            "[a-z0-9+/_=-]{30,120}"),
     "sc_ ext_ scauth_ authress_", 2},
    {"aws-access-token", "\\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\\b",
     "a3t akia asia abia acca", 3},
    {"aws-amazon-bedrock-api-key-long-lived", "\\b(ABSK" BASE64("109,269") ")", "absk", 3},
    {"aws-secret-access-key",
     ASSIGNED("aws.{0,20}secret|secret.?access.?key", "[A-Za-z0-9/+=]{40}"), "aws secret", 4},
    {"azure-ad-client-secret",
     "(?:^|[\\\\'\"\\x60\\s>=:(,)])([a-zA-Z0-9_~.]{3}\\dQ~[a-zA-Z0-9_~.-]{31,34})(?:$|[\\\\'"
     "\"\\x60\\s<),;}])",
     "q~", 3},
    {"azure-storage-account-key", "(?i)AccountKey=([A-Za-z0-9+/]{86}==)", "accountkey", 4},
    {"beamer-api-token", ASSIGNED("beamer", "b_[a-z0-9=_\\-]{44}"), "beamer", 3},
    {"bitbucket-client-secret", ASSIGNED("bitbucket", "[a-z0-9=_\\-]{64}"), "bitbucket", 3},
    {"bittrex-secret-key", ASSIGNED("bittrex", "[a-z0-9]{32}"), "bittrex", 3},
    {"clickhouse-cloud-api-secret-key", "\\b(4b1d[A-Za-z0-9]{38})\\b", "4b1d", 3},
    {"clojars-api-token", "(?i)\\b(CLOJARS_[a-z0-9]{60})", "clojars_", 2},
    {"cloudflare-api-key", ASSIGNED("cloudflare", "[a-z0-9_-]{40}"), "cloudflare", 2},
    {"cloudflare-global-api-key", ASSIGNED("cloudflare", "[a-f0-9]{37}"), "cloudflare", 2},
    {"cloudflare-origin-ca-key", TOKEN("v1\\.0-[a-f0-9]{24}-[a-f0-9]{146}"), "v1.0-", 2},
    {"codecov-access-token", ASSIGNED("codecov", "[a-z0-9]{32}"), "codecov", 3},
    {"coinbase-access-token", ASSIGNED("coinbase", "[a-z0-9_-]{64}"), "coinbase", 3},
    {"confluent-secret-key", ASSIGNED("confluent", "[a-z0-9]{64}"), "confluent", 3},
    {"contentful-delivery-api-token", ASSIGNED("contentful", "[a-z0-9=_\\-]{43}"), "contentful", 3},
    {"curl-auth-header",
     "(?i)\\bcurl\\b.{0,200}?-H\\s{0,4}[\"'\\\\]{0,2}(?:Authorization:\\s{0,5}(?:Basic\\s{1,3}[a-"
     "z0-9+/]{8,}={0,3}|(?:Bearer|Api-?Token|Token)\\s{1,3}[\\w=~@.+/"
     "-]{8,})|(?:X-[\\w-]{0,15}|Api-?|Auth-?)(?:Key|Token):\\s{0,5}[\\w=~@.+/-]{8,})",
     "curl", 2.75},
    {"curl-auth-user",
     "(?i)\\bcurl\\b.{0,200}?(?:-u|--user)[\\s=]{1,3}[\"'\\\\]{0,2}([^:\\s\"'\\\\]{3,}:[^\\s\"'"
     "\\\\]{3,})",
     "curl", 2},
    {"databricks-api-token", TOKEN("dapi[a-f0-9]{32}(?:-\\d)?"), "dapi", 3},
    {"datadog-access-token", ASSIGNED("datadog", "[a-z0-9]{40}"), "datadog", 3},
    {"defined-networking-api-token", TOKENI("dnkey-[a-z0-9=_\\-]{26}-[a-z0-9=_\\-]{52}"), "dnkey",
     3},
    {"digitalocean-access-token", TOKEN("doo_v1_[a-f0-9]{64}"), "doo_v1_", 3},
    {"digitalocean-pat", TOKEN("dop_v1_[a-f0-9]{64}"), "dop_v1_", 3},
    {"digitalocean-refresh-token", TOKENI("dor_v1_[a-f0-9]{64}"), "dor_v1_", 0},
    {"discord-api-token", ASSIGNED("discord", "[a-f0-9]{64}"), "discord", 3},
    {"discord-client-secret", ASSIGNED("discord", "[a-z0-9=_\\-]{32}"), "discord", 2},
    {"doppler-api-token", "(?i)\\b(dp\\.pt\\.[a-z0-9]{43})\\b", "dp.pt.", 2},
    {"droneci-access-token", ASSIGNED("droneci", "[a-z0-9]{32}"), "droneci", 3},
    {"dropbox-long-lived-api-token", ASSIGNED("dropbox", "[a-z0-9]{11}AAAAAAAAAA[a-z0-9\\-_=]{43}"),
     "dropbox", 0},
    {"dropbox-short-lived-api-token", ASSIGNED("dropbox", "sl\\.[a-z0-9\\-=_]{135}"), "dropbox", 0},
    {"duffel-api-token", "(?i)\\b(duffel_(?:test|live)_[a-z0-9_\\-=]{43})", "duffel_", 2},
    {"dynatrace-api-token", TOKENI("dt0c01\\.[a-z0-9]{24}\\.[a-z0-9]{64}"), "dt0c01.", 4},
    {"easypost-api-token", TOKENI("EZAK[a-z0-9]{54}"), "ezak", 2},
    {"easypost-test-api-token", TOKENI("EZTK[a-z0-9]{54}"), "eztk", 2},
    {"facebook-access-token", TOKEN("\\d{15,16}(?:\\||%7C|%7c)[0-9a-zA-Z_-]{27,40}"), "| %7c", 3},
    {"facebook-page-access-token", "\\b(EAA[MC][a-zA-Z0-9]{100,})\\b", "eaam eaac", 4},
    {"fastly-api-token", ASSIGNED("fastly", "[a-z0-9=_\\-]{32}"), "fastly", 3},
    {"flutterwave-secret-key", "(?i)(FLWSECK(?:_TEST)?-[a-h0-9]{32}-X)", "flwseck", 2},
    {"flyio-access-token",
     "\\b(fo1_[\\w-]{43}|fm1[ar]_[a-zA-Z0-9+/]{100,}={0,3}|fm2_[a-zA-Z0-9+/]{100,}={0,3})",
     "fo1_ fm1a_ fm1r_ fm2_", 4},
    {"frameio-api-token", "(?i)\\b(fio-u-[a-z0-9\\-_=]{64})", "fio-u-", 0},
    {"gcp-api-key", "\\b(AIza[\\w-]{35})(?:[^\\w-]|$)", "aiza", 3},
    {"gcp-oauth-client-secret", TOKEN("GOCSPX-[\\w-]{28}"), "gocspx-", 3},
    {"gcp-oauth-access-token", "\\b(ya29\\.[\\w-]{20,})", "ya29.", 3},
    {"github-app-token", "\\b((?:ghu|ghs)_[0-9a-zA-Z]{36})\\b", "ghu_ ghs_", 3},
    {"github-fine-grained-pat", "\\b(github_pat_\\w{82})\\b", "github_pat_", 3},
    {"github-oauth", "\\b(gho_[0-9a-zA-Z]{36})\\b", "gho_", 3},
    {"github-pat", "\\b(ghp_[0-9a-zA-Z]{36})\\b", "ghp_", 3},
    {"github-refresh-token", "\\b(ghr_[0-9a-zA-Z]{36})\\b", "ghr_", 3},
    {"gitlab-cicd-job-token", "\\b(glcbt-[0-9a-zA-Z]{1,5}_[0-9a-zA-Z_-]{20})", "glcbt-", 3},
    {"gitlab-deploy-token", "\\b(gldt-[0-9a-zA-Z_\\-]{20})", "gldt-", 3},
    {"gitlab-feature-flag-client-token", "\\b(glffct-[0-9a-zA-Z_\\-]{20})", "glffct-", 3},
    {"gitlab-feed-token", "\\b(glft-[0-9a-zA-Z_\\-]{20})", "glft-", 3},
    {"gitlab-incoming-mail-token", "\\b(glimt-[0-9a-zA-Z_\\-]{25})", "glimt-", 3},
    {"gitlab-kubernetes-agent-token", "\\b(glagent-[0-9a-zA-Z_\\-]{50})", "glagent-", 3},
    {"gitlab-oauth-app-secret", "\\b(gloas-[0-9a-zA-Z_\\-]{64})", "gloas-", 3},
    {"gitlab-pat", "\\b(glpat-[\\w-]{20})", "glpat-", 3},
    {"gitlab-pat-routable", "\\b(glpat-[0-9a-zA-Z_-]{27,300}\\.[0-9a-z]{2}[0-9a-z]{7})\\b",
     "glpat-", 4},
    {"gitlab-ptt", "\\b(glptt-[0-9a-f]{40})\\b", "glptt-", 3},
    {"gitlab-rrt", "\\b(GR1348941[\\w-]{20})", "gr1348941", 3},
    {"gitlab-runner-authentication-token", "\\b(glrt-[0-9a-zA-Z_\\-]{20})", "glrt-", 3},
    {"gitlab-scim-token", "\\b(glsoat-[0-9a-zA-Z_\\-]{20})", "glsoat-", 3},
    {"gitlab-session-cookie", "_gitlab_session=([0-9a-z]{32})", "_gitlab_session=", 3},
    {"gocardless-api-token", ASSIGNED("gocardless", "live_[a-z0-9\\-_=]{40}"), "gocardless", 0},
    {"grafana-api-key", "\\b(eyJrIjoi[A-Za-z0-9]{70,400}={0,3})", "eyjrijoi", 3},
    {"grafana-cloud-api-token", "\\b(glc_" BASE64("32,400") ")", "glc_", 3},
    {"grafana-service-account-token", "\\b(glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})\\b", "glsa_", 3},
    {"harness-api-key",
     "\\b((?:pat|sat)\\.[a-zA-Z0-9_-]{22}\\.[a-zA-Z0-9]{24}\\.[a-zA-Z0-9]{20})\\b", "pat. sat.", 0},
    {"hashicorp-tf-api-token", "(?i)\\b([a-z0-9]{14}\\.atlasv1\\.[a-z0-9\\-_=]{60,70})", "atlasv1",
     3.5},
    {"heroku-api-key", ASSIGNED("heroku", UUID), "heroku", 3},
    {"heroku-api-key-v2", "\\b(HRKU-AA[0-9a-zA-Z_-]{58})", "hrku-aa", 4},
    {"hubspot-api-key", ASSIGNED("hubspot", UUID), "hubspot", 0},
    {"huggingface-access-token", "\\b(hf_[a-zA-Z]{34})\\b", "hf_", 2},
    {"huggingface-organization-api-token", "\\b(api_org_[a-zA-Z]{34})\\b", "api_org_", 2},
    {"infracost-api-token", "\\b(ico-[a-zA-Z0-9]{32})\\b", "ico-", 3},
    {"intercom-api-key", ASSIGNED("intercom", "[a-z0-9=_\\-]{60}"), "intercom", 3},
    {"jfrog-api-key", ASSIGNED("jfrog|artifactory|bintray|xray", "[a-z0-9]{73}"),
     "jfrog artifactory bintray xray", 0},
    {"jfrog-identity-token", ASSIGNED("jfrog|artifactory|bintray|xray", "[a-z0-9]{64}"),
     "jfrog artifactory bintray xray", 0},
    {"jwt",
     "\\b(eyJ[a-zA-Z0-9]{16,}\\.ey[a-zA-Z0-9/\\\\_-]{17,}\\.(?:[a-zA-Z0-9/\\\\_-]{10,}={0,2})?)",
     "eyj", 3},
    {"kraken-access-token", ASSIGNED("kraken", "[a-z0-9/=_+\\-]{80,90}"), "kraken", 3},
    {"launchdarkly-access-token", ASSIGNED("launchdarkly", "[a-z0-9=_\\-]{40}"), "launchdarkly", 3},
    {"linear-api-key", "(?i)\\b(lin_api_[a-z0-9]{40})\\b", "lin_api_", 2},
    {"linkedin-client-secret", ASSIGNED("linked[_-]?in", "[a-z0-9]{16}"),
     "linkedin linked_in linked-in", 2},
    {"lob-api-key", ASSIGNED("lob", "(?:live|test)_[a-f0-9]{35}"), "test_ live_", 3},
    {"mailchimp-api-key", ASSIGNED("mailchimp", "[a-f0-9]{32}-us\\d\\d"), "mailchimp", 3},
    {"mailgun-private-api-token", ASSIGNED("mailgun", "key-[a-f0-9]{32}"), "mailgun", 3},
    {"mailgun-pub-key", ASSIGNED("mailgun", "pubkey-[a-f0-9]{32}"), "mailgun", 3},
    {"mapbox-api-token", "\\b((?:pk|sk)\\.eyJ1[a-zA-Z0-9_-]{55,}\\.[a-zA-Z0-9_-]{22})\\b",
     "pk.eyj1 sk.eyj1", 3},
    {"mattermost-access-token", ASSIGNED("mattermost", "[a-z0-9]{26}"), "mattermost", 3},
    {"messagebird-api-token", ASSIGNED("message[_-]?bird", "[a-z0-9]{25}"),
     "messagebird message-bird message_bird", 3},
    {"microsoft-teams-webhook",
     "(https://[a-z0-9.-]+\\.webhook\\.office\\.com/webhookb2/[a-z0-9@-]{73}/IncomingWebhook/"
     "[a-z0-9]{32}/[a-z0-9-]{36})",
     "webhook.office.com", 0},
    {"netlify-access-token", ASSIGNED("netlify", "[a-z0-9=_\\-]{40,46}"), "netlify", 3},
    {"new-relic-browser-api-token", TOKENI("NRJS-[a-f0-9]{19}"), "nrjs-", 0},
    {"new-relic-insert-key", "(?i)\\b(NRII-[a-z0-9-]{32})", "nrii-", 0},
    {"new-relic-user-api-key", TOKENI("NRAK-[a-z0-9]{27}"), "nrak", 0},
    {"notion-api-token", "\\b(ntn_[0-9]{11}[A-Za-z0-9]{35})\\b", "ntn_", 4},
    {"npm-access-token", "(?i)\\b(npm_[a-z0-9]{36})\\b", "npm_", 2},
    {"nuget-config-password",
     "(?i)<add key=\\\\?\"(?:ClearText)?Password\\\\?\"\\s{1,5}value=\\\\?\"([^\"\\\\]{8,})\\\\?\"",
     "<add", 1},
    {"nytimes-access-token", ASSIGNED("nytimes|new-york-times|newyorktimes", "[a-z0-9=_\\-]{32}"),
     "nytimes new-york-times newyorktimes", 3},
    {"okta-access-token", ASSIGNED("okta", "00[\\w=\\-]{40}"), "okta", 4},
    {"openai-api-key",
     "\\b(sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,74}T3BlbkFJ[A-Za-z0-9_-]{20,74}|sk-[a-zA-Z0-9]"
     "{20}T3BlbkFJ[a-zA-Z0-9]{20})",
     "t3blbkfj", 3},
    {"openshift-user-token", "\\b(sha256~[\\w-]{43})", "sha256~", 3.5},
    {"perplexity-api-key", "\\b(pplx-[a-zA-Z0-9]{48})\\b", "pplx-", 4},
    {"plaid-api-token", ASSIGNED("plaid", "access-(?:sandbox|development|production)-" UUID),
     "plaid", 0},
    {"planetscale-api-token", "\\b(pscale_tkn_[\\w=.-]{32,64})", "pscale_tkn_", 3},
    {"planetscale-oauth-token", "\\b(pscale_oauth_[\\w=.-]{32,64})", "pscale_oauth_", 3},
    {"planetscale-password", "(?i)\\b(pscale_pw_[\\w=.-]{32,64})", "pscale_pw_", 3},
    {"postman-api-token", TOKENI("PMAK-[a-f0-9]{24}-[a-f0-9]{34}"), "pmak-", 3},
    {"prefect-api-token", "\\b(pnu_[a-zA-Z0-9]{36})\\b", "pnu_", 2},
    {"private-key",
     "(?i)(-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----[\\s\\S]{64,}?(?:-----END[ "
     "A-Z0-9_-]{0,100}KEY(?: BLOCK)?-----|$))",
     "-----begin", 0},
    {"pulumi-api-token", "\\b(pul-[a-f0-9]{40})\\b", "pul-", 2},
    {"pypi-upload-token", "\\b(pypi-AgEIcHlwaS5vcmc[\\w-]{50,1000})", "pypi-ageichlwas5vcmc", 3},
    {"rapidapi-access-token", ASSIGNED("rapidapi", "[a-z0-9_-]{50}"), "rapidapi", 3},
    {"readme-api-token", "\\b(rdme_[a-z0-9]{70})\\b", "rdme_", 2},
    {"rubygems-api-token", "\\b(rubygems_[a-f0-9]{48})\\b", "rubygems_", 2},
    {"scalingo-api-token", "\\b(tk-us-[\\w-]{48})", "tk-us-", 2},
    {"sendbird-access-token", ASSIGNED("sendbird", "[a-f0-9]{40}"), "sendbird", 3},
    {"sendgrid-api-token", "\\b(SG\\.[A-Za-z0-9=_\\-.]{66})", "sg.", 2},
    {"sendinblue-api-token", "\\b(xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16})\\b", "xkeysib-", 2},
    {"sentry-access-token", ASSIGNED("sentry", "[a-f0-9]{64}"), "sentry", 3},
    {"sentry-org-token",
     "\\b(sntrys_eyJpYXQiO[a-zA-Z0-9+/]{10,200}[a-zA-Z0-9+/]{10,200}={0,2}_[a-zA-Z0-9+/]{43})",
     "sntrys_eyjpyxqio", 4.5},
    {"sentry-user-token", "\\b(sntryu_[a-f0-9]{64})\\b", "sntryu_", 3.5},
    {"shippo-api-token", "\\b(shippo_(?:live|test)_[a-fA-F0-9]{40})\\b", "shippo_", 2},
    {"shopify-access-token", "\\b(shpat_[a-fA-F0-9]{32})\\b", "shpat_", 2},
    {"shopify-custom-access-token", "\\b(shpca_[a-fA-F0-9]{32})\\b", "shpca_", 2},
    {"shopify-private-app-access-token", "\\b(shppa_[a-fA-F0-9]{32})\\b", "shppa_", 2},
    {"shopify-shared-secret", "\\b(shpss_[a-fA-F0-9]{32})\\b", "shpss_", 2},
    {"slack-app-token", "(?i)\\b(xapp-\\d-[A-Z0-9]+-\\d+-[a-z0-9]+)", "xapp-", 2},
    {"slack-bot-token", "\\b(xoxb-[0-9]{10,13}-[0-9]{10,13}[a-zA-Z0-9-]*)", "xoxb-", 3},
    {"slack-config-access-token", "(?i)\\b(xoxe\\.xox[bp]-\\d-[A-Z0-9]{163,166})",
     "xoxe.xoxb- xoxe.xoxp-", 2},
    {"slack-config-refresh-token", "(?i)\\b(xoxe-\\d-[A-Z0-9]{146})", "xoxe-", 2},
    {"slack-legacy-bot-token", "\\b(xoxb-[0-9]{8,14}-[a-zA-Z0-9]{18,26})", "xoxb-", 2},
    {"slack-legacy-token", "\\b(xox[os]-\\d+-\\d+-\\d+-[a-fA-F\\d]+)", "xoxo- xoxs-", 2},
    {"slack-legacy-workspace-token", "\\b(xox[ar]-(?:\\d-)?[0-9a-zA-Z]{8,48})", "xoxa- xoxr-", 2},
    {"slack-user-token", "\\b(xox[pe](?:-[0-9]{10,13}){3}-[a-zA-Z0-9-]{28,34})", "xoxp- xoxe-", 2},
    {"slack-webhook-url",
     "((?:https?://)?hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{43,56})",
     "hooks.slack.com", 0},
    {"snyk-api-token", ASSIGNED("snyk", UUID), "snyk", 0},
    {"sonar-api-token", ASSIGNED("sonar", "(?:squ_|sqp_|sqa_)?[a-z0-9=_\\-]{40}"), "sonar", 3},
    {"sourcegraph-access-token",
     "\\b(sgp_(?:[a-fA-F0-9]{16}|local)_[a-fA-F0-9]{40}|sgp_[a-fA-F0-9]{40})\\b", "sgp_", 3},
    {"square-access-token", "\\b((?:EAAA|sq0atp-)[\\w-]{22,60})", "eaaa sq0atp-", 2},
    {"squarespace-access-token", ASSIGNED("squarespace", UUID), "squarespace", 0},
    {"stripe-access-token", "\\b((?:sk|rk)_(?:test|live|prod)_[a-zA-Z0-9]{10,99})\\b",
     "sk_test sk_live sk_prod rk_test rk_live rk_prod", 2},
    {"sumologic-access-token", ASSIGNED("sumo", "[a-z0-9]{64}"), "sumo", 3},
    {"telegram-bot-api-token", ASSIGNED("telegr\\w*|\\bbot", "[0-9]{5,16}:A[a-z0-9_\\-]{34}"),
     "telegr bot", 0},
    {"travisci-access-token", ASSIGNED("travis", "[a-z0-9]{22}"), "travis", 3},
    {"twilio-api-key", "\\b(SK[0-9a-fA-F]{32})\\b", "sk", 3},
    {"twitch-api-token", ASSIGNED("twitch", "[a-z0-9]{30}"), "twitch", 3},
    {"twitter-bearer-token", ASSIGNED("twitter", "A{22}[a-zA-Z0-9%]{80,100}"), "twitter", 3},
    {"typeform-api-token", ASSIGNED("typeform", "tfp_[a-z0-9\\-_.=]{59}"), "tfp_", 0},
    {"vault-batch-token", "\\b(hvb\\.[\\w-]{138,300})", "hvb.", 4},
    {"vault-service-token", "\\b(hvs\\.[\\w-]{90,120}|s\\.[a-zA-Z0-9]{24})(?:[^\\w.-]|$)",
     "hvs. s.", 3.5},
    {"yandex-api-key", "\\b(AQVN[A-Za-z0-9_\\-]{35,38})", "aqvn", 3},
    {"zendesk-secret-key", ASSIGNED("zendesk", "[a-z0-9]{40}"), "zendesk", 3},
    {"generic-api-key",
     ASSIGNED("access|auth|api|credential|creds|key|passwd|password|secret|token",
              "[\\w.=-]{10,150}"),
     "access api auth key credential creds passwd password secret token", 3.5},
};

/* What looks like a generic key by its name and is none: words of examples and of code. */
static const char generic_stopwords[] =
    "example sample dummy placeholder changeme redacted undefined localhost function return "
    "string object public publickey client_id keyboard keyword keystore author authority "
    "accessor monkey timestamp version default description unknown success failure invalid "
    "controller service handler manager provider";
/* Values that hold a place for one. */
static const char *const place_holders[] = {
    "^(?:true|false|null|nil|none|undefined)$",
    "^\\$(?:\\{[\\w.-]+\\}|\\w+)$",
    "^\\{\\{.*\\}\\}$",
    "^%\\w+%$",
    "^<[\\w .-]+>$",
    "^(?:\\*+|x+|X+|\\.+|-+|=+|_+)$",
};

static struct texts split(struct arena *a, struct str words)
{
    struct texts t = {.v = arena_array(a, struct str, words.n / 2 + 1)};

    while (words.n)
        t.v[t.n++] = str_cut(&words, ' ');
    return t;
}

static struct allow_def *allow_place_holders(struct arena *a)
{
    struct allow_def *allow = arena_new(a, struct allow_def);
    size_t n = sizeof(place_holders) / sizeof(*place_holders);

    allow->regexes = (struct texts){arena_array(a, struct str, n), n};
    for (size_t i = 0; i < n; i++)
        allow->regexes.v[i] = str_of(place_holders[i]);
    return allow;
}

static struct rule_def *make(struct arena *a, const struct builtin *b)
{
    struct rule_def *r = arena_new(a, struct rule_def);

    r->id = str_of(b->id);
    r->regex = str_of(b->regex);
    r->entropy = b->entropy;
    r->keywords = split(a, str_of(b->keywords));
    return r;
}

void rules_builtin(struct rule_set *s)
{
    struct allow_def *words = arena_new(s->a, struct allow_def);

    for (size_t i = 0; i < sizeof(builtins) / sizeof(*builtins); i++)
        rules_append(s, make(s->a, &builtins[i]));
    words->stopwords = split(s->a, str_of(generic_stopwords));
    rules_find(s, STR("generic-api-key"))->allow = words;
    s->allow = allow_place_holders(s->a);
}

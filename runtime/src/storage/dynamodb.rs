//! The store in Amazon DynamoDB, over its JSON protocol.

mod signature;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::{
    Capabilities, Error, Key, KvStore, Lifetime, digest, now,
    versioned::{self, Found, Versioned, end},
};
use signature::{Credentials, Scope, authorization, time};

/// Values as items of a table, which is made (with on-demand capacity) when it is missing. DynamoDB removes expired
/// items within days, by the attribute `ttl`; they count as absent at once. A table that you make yourself has the string
/// `name` as its partition key, and wants its time to live turned on.
///
/// The credentials come from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
#[derive(Clone)]
pub struct DynamoDbStore {
    client: Client,
    endpoint: Url,
    host: String,
    region: String,
    table: String,
    credentials: Credentials,
}

impl fmt::Debug for DynamoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbStore")
            .field("table", &self.table)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
/// The largest value in bytes: items have 400 KB, with the names of their attributes.
const MAX_VALUE: usize = 400 * 1000 - 1000;
impl DynamoDbStore {
    /// Connects to `dynamodb://table[?region=R&endpoint=URL]`. The region is that of `AWS_REGION` where none is given.
    ///
    /// # Errors
    /// [`Error::Url`] or, when the service does not answer as it should, [`Error::Unavailable`].
    pub async fn connect(url: &Url) -> Result<Self, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let needed = |name: &str| variable(name).ok_or_else(|| Error::Url(format!("set {name}")));
        let credentials = Credentials {
            id: needed("AWS_ACCESS_KEY_ID")?,
            secret: needed("AWS_SECRET_ACCESS_KEY")?.into(),
            session_token: variable("AWS_SESSION_TOKEN").map(Into::into),
        };
        Self::with_credentials(url, credentials).await
    }

    async fn with_credentials(url: &Url, credentials: Credentials) -> Result<Self, Error> {
        let option = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let table = url.host_str().unwrap_or_default().to_owned();
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if !(3..=255).contains(&table.len()) || !table.bytes().all(is_legal) {
            return Err(Error::Url("a table is named as dynamodb://table, with 3 to 255 of a-z 0-9 _ . -".to_owned()));
        }
        let region = option("region")
            .or_else(|| std::env::var("AWS_REGION").ok())
            .filter(|region| {
                !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
            .ok_or_else(|| Error::Url("name the region: dynamodb://table?region=eu-central-1".to_owned()))?;
        let endpoint = option("endpoint").unwrap_or_else(|| format!("https://dynamodb.{region}.amazonaws.com/"));
        let endpoint = Url::parse(&endpoint).map_err(|_| Error::Url("the endpoint is no URL".to_owned()))?;
        let host = endpoint.host_str().ok_or_else(|| Error::Url("the endpoint names no host".to_owned()))?;
        let host = endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let client = Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(failed)?;
        let store = Self { client, endpoint, host, region, table, credentials };
        store.create().await?;
        Ok(store)
    }

    /// Makes the table where there is none, and waits until it can be used.
    async fn create(&self) -> Result<(), Error> {
        let mut is_ours = false;
        for attempt in 0..60 {
            match self.call("DescribeTable", json!({"TableName": self.table})).await {
                Ok(description) if description["Table"]["TableStatus"] == "ACTIVE" => {
                    // A table in the making refuses this.
                    if is_ours {
                        self.expire_natively().await;
                    }
                    return Ok(());
                }
                Err(Failure::Refused(kind)) if kind == "ResourceNotFoundException" && !is_ours => {
                    let made = self.call(
                        "CreateTable",
                        json!({
                            "TableName": self.table,
                            "BillingMode": "PAY_PER_REQUEST",
                            "AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "S"}],
                            "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
                        }),
                    );
                    match made.await {
                        // Another instance was faster.
                        Err(Failure::Refused(kind)) if kind == "ResourceInUseException" => {}
                        made => {
                            made?;
                            is_ours = true;
                        }
                    }
                }
                Err(Failure::Refused(kind)) if kind == "ResourceNotFoundException" => {}
                other => drop(other?),
            }
            tokio::time::sleep(Duration::from_millis(if attempt == 0 { 50 } else { 500 })).await;
        }
        Err(Error::unavailable("DynamoDB", "the table does not become active"))
    }

    /// Only tidies up: that it cannot be asked for is no failure.
    async fn expire_natively(&self) {
        let specification = json!({"AttributeName": "ttl", "Enabled": true});
        let asked =
            self.call("UpdateTimeToLive", json!({"TableName": self.table, "TimeToLiveSpecification": specification}));
        if let Err(failure) = asked.await {
            tracing::debug!(error = %Error::from(failure), "DynamoDB does not remove expired items");
        }
    }

    async fn call(&self, action: &str, body: Value) -> Result<Value, Failure> {
        let body = body.to_string();
        let time = time(now() / 1000);
        let target = format!("DynamoDB_20120810.{action}");
        let kind = "application/x-amz-json-1.0";
        let token = self.credentials.session_token.as_ref().map(|token| token.expose_secret());
        let mut headers = vec![("content-type", kind), ("host", self.host.as_str()), ("x-amz-date", time.as_str())];
        headers.extend(token.map(|token| ("x-amz-security-token", token)));
        headers.push(("x-amz-target", target.as_str()));
        let scope = Scope { region: &self.region, service: "dynamodb", time: &time };
        let authorization = authorization(&self.credentials, &scope, &headers, body.as_bytes());
        let mut request = self.client.post(self.endpoint.clone()).header(http::header::AUTHORIZATION, authorization);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.body(body).send().await.map_err(|error| Failure::Broken(failed(error)))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| Failure::Broken(failed(error)))?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let kind = answer["__type"].as_str().and_then(|kind| kind.rsplit('#').next()).unwrap_or(status.as_str());
        Err(Failure::Refused(kind.to_owned()))
    }

    fn key(&self, key: Key<'_>) -> Value {
        json!({"name": {"S": digest([key.collection(), key.name()])}})
    }

    /// Writes an item; whether the condition held.
    async fn write(
        &self,
        key: Key<'_>,
        value: &[u8],
        expires: Option<i64>,
        condition: Option<(&str, Value)>,
    ) -> Result<bool, Error> {
        if value.len() > MAX_VALUE {
            return Err(Error::TooLarge { store: "DynamoDB", size: value.len(), limit: MAX_VALUE });
        }
        let mut item = self.key(key);
        item["value"] = json!({"B": BASE64_STANDARD.encode(value)});
        if let Some(at) = expires {
            item["expires"] = json!({"N": at.to_string()});
            item["ttl"] = json!({"N": (at / 1000 + 1).to_string()});
        }
        let mut request = json!({"TableName": self.table, "Item": item});
        if let Some((text, values)) = condition {
            request["ConditionExpression"] = text.into();
            request["ExpressionAttributeNames"] = names(text);
            request["ExpressionAttributeValues"] = values;
        }
        match self.call("PutItem", request).await {
            Err(Failure::Refused(kind)) if kind == "ConditionalCheckFailedException" => Ok(false),
            answer => Ok(answer.map(|_| true)?),
        }
    }
}

const ABSENT: &str = "attribute_not_exists(#n) OR #e <= :now";
const PRESENT: &str = "attribute_exists(#n)";
const EQUAL: &str = "#v = :old AND (attribute_not_exists(#e) OR #e > :now)";

/// The names that a condition uses: the real ones are reserved words.
fn names(condition: &str) -> Value {
    let all = [("#n", "name"), ("#v", "value"), ("#e", "expires")];
    all.into_iter()
        .filter(|(short, _)| condition.contains(short))
        .map(|(short, name)| (short, Value::from(name)))
        .collect()
}

fn number_value(number: i64) -> Value {
    json!({"N": number.to_string()})
}

/// An item as DynamoDB has it; `None` when it is missing or has expired.
fn item(item: &Value) -> Result<Option<Found<()>>, Error> {
    if item.is_null() {
        return Ok(None);
    }
    let value = item["value"]["B"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let value = value.ok_or(Error::Corrupt("the item is not one of this store"))?;
    let expires = item["expires"]["N"].as_str().and_then(|text| text.parse().ok());
    Ok(expires.is_none_or(|at: i64| at > now()).then_some(Found { value, expires, version: () }))
}

enum Failure {
    /// The service refused, for a reason that has a name.
    Refused(String),
    /// It did not answer.
    Broken(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(kind) => Error::unavailable("DynamoDB", kind),
            Failure::Broken(error) => error,
        }
    }
}

fn failed(error: reqwest::Error) -> Error {
    Error::unavailable("DynamoDB", error.without_url())
}

#[async_trait]
impl Versioned for DynamoDbStore {
    /// The value is its own version.
    type Version = ();

    async fn find(&self, key: Key<'_>) -> Result<Option<Found<()>>, Error> {
        let request = json!({"TableName": self.table, "Key": self.key(key), "ConsistentRead": true});
        item(&self.call("GetItem", request).await?["Item"])
    }

    async fn replace(
        &self,
        key: Key<'_>,
        found: &Found<()>,
        value: &[u8],
        expires: Option<i64>,
    ) -> Result<bool, Error> {
        let values = json!({":now": number_value(now()), ":old": {"B": BASE64_STANDARD.encode(&found.value)}});
        self.write(key, value, expires, Some((EQUAL, values))).await
    }
}

#[async_trait]
impl KvStore for DynamoDbStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: true, atomic_take: true, native_ttl: true }
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        versioned::get(self, key).await
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        self.write(key, value, end(ttl), None).await.map(drop)
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        let values = json!({":now": number_value(now())});
        self.write(key, value, end(ttl), Some((ABSENT, values))).await
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        // With a condition, since without one DynamoDB Local gives the same item to several at once.
        let request = json!({
            "TableName": self.table,
            "Key": self.key(key),
            "ReturnValues": "ALL_OLD",
            "ConditionExpression": PRESENT,
            "ExpressionAttributeNames": names(PRESENT),
        });
        match self.call("DeleteItem", request).await {
            Err(Failure::Refused(kind)) if kind == "ConditionalCheckFailedException" => Ok(None),
            answer => Ok(item(&answer?["Attributes"])?.map(|item| item.value.into())),
        }
    }

    async fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.take(key).await?.is_some())
    }

    async fn ttl(&self, key: Key<'_>) -> Result<Lifetime, Error> {
        versioned::ttl(self, key).await
    }

    async fn compare_and_swap(
        &self,
        key: Key<'_>,
        expected: &[u8],
        new: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        let values = json!({":now": number_value(now()), ":old": {"B": BASE64_STANDARD.encode(expected)}});
        self.write(key, new, end(ttl), Some((EQUAL, values))).await
    }

    async fn incr(&self, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        versioned::incr(self, key, by, ttl).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{super::suite, *};

    fn credentials() -> Credentials {
        Credentials { id: "local".to_owned(), secret: "s3cr3t".into(), session_token: None }
    }

    /// Against Amazon's own for developers, which the npm package `amplify-dynamodb-simulator` has; needs Java.
    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        let Some(service) = suite::service("dynamodb-local", suite::free_port(), &["-port", "{port}"]) else { return };
        let endpoint = format!("http://127.0.0.1:{}", service.port);
        let url = format!("dynamodb://suite-{}?region=eu-central-1&endpoint={endpoint}", std::process::id());
        let store = DynamoDbStore::with_credentials(&url.parse().unwrap(), credentials()).await.unwrap();
        assert!(!format!("{store:?}").contains("s3cr3t"));
        suite::run(Arc::new(store), Duration::from_millis(300)).await;
    }

    #[tokio::test]
    async fn wrong_urls_are_refused() {
        for url in [
            "dynamodb://ab?region=x",
            "dynamodb://",
            "dynamodb://table?region=a/b",
            "dynamodb://table?region=x&endpoint=y",
        ] {
            let answer = DynamoDbStore::with_credentials(&url.parse().unwrap(), credentials()).await;
            assert!(matches!(answer, Err(Error::Url(_))), "{url}");
        }
    }
}

//! What the parts of an exchange's way cost: reading its bytes, redacting its head and body, recording it, writing its
//! row.
//!
//! `cargo bench --bench parts`. Each is measured on what came before, as it mostly does on a connection that is kept
//! open, and where it makes a difference on what is new each time. `scripts/bench` measures the whole.

#![allow(missing_docs, reason = "criterion's macros make functions without them")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::hint::black_box;
use std::sync::Arc;

use authtap::exchange::{Connection, Exchange, Ids, Recorder, Setting, Timestamp};
use authtap::redact::{Bindings, Redactor};
use authtap::session::{Mode, Writer};
use authtap::wire::http1::{Asked, Reader};
use authtap::wire::{Event, Fields};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// A head as Outlook sends it; `{n}` is what differs from one to the next.
fn request(number: u64) -> Vec<u8> {
    let token = "b3BhcXVlLXRva2Vu".repeat(84);
    format!(
        "GET /mapi/emsmdb/?MailboxId=00000000-0000-0000-0000-000000000001@contoso.com HTTP/1.1\r\n\
         Host: mail.contoso.com\r\n\
         User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)\r\n\
         Accept: */*\r\n\
         Accept-Language: en-US, ja-JP\r\n\
         X-AnchorMailbox: avery@contoso.com\r\n\
         X-RequestType: Execute\r\n\
         X-ClientApplication: Outlook/16.0.18227\r\n\
         client-request-id: {{7C1E0F7A-94C5-4E5F-8E77-{number:012X}}}\r\n\
         Cookie: MapiContext=MAPIAAAAAOu3yJ0; MapiSequence={number}-Jz8kFA==\r\n\
         Authorization: Bearer {token}\r\n\
         Connection: keep-alive\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn response(number: u64) -> Vec<u8> {
    let item = "{\"id\":\"AQMkADAw\",\"displayName\":\"Inbox\",\"unreadItemCount\":4,\"isHidden\":false},".repeat(12);
    let body = format!("{{\"value\":[{item}{number:>20}]}}");
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\n\
         Server: Microsoft-IIS/10.0\r\n\
         request-id: c1b0d8f2-7d0e-4b58-8a55-{number:012x}\r\n\
         X-FEServer: EX01\r\n\
         X-CalculatedBETarget: ex02.contoso.com\r\n\
         X-Powered-By: ASP.NET\r\n\
         Content-Type: application/json; charset=utf-8\r\n\
         Date: Sun, 22 Nov 2026 09:00:00 GMT\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// The field lines of a message.
fn lines(message: &[u8]) -> &[u8] {
    let end = authtap::wire::http1::head_end(message, 0).unwrap();
    let first = message.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    &message[first..end - 2]
}

fn recorder(redactor: &Redactor) -> Recorder {
    Recorder::new(Setting {
        redactor: redactor.clone(),
        connection: Arc::new(Connection { id: 1, ..Connection::default() }),
        ids: Ids::default(),
        scheme: "https",
        authority: Some(b"mail.contoso.com".to_vec()),
        body_limit: 256 << 10,
        own: false,
        bindings: Bindings::UNKNOWN,
    })
}

/// One exchange through the recorder and the door.
fn record(recorder: &mut Recorder, request: &[u8], response: &[u8]) -> Exchange {
    recorder.request_bytes(request, Timestamp(0));
    recorder.response_bytes(response, Timestamp(1000));
    recorder.finished().remove(0).finish()
}

fn reading(criterion: &mut Criterion) {
    let (request, response) = (request(1), response(1));
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes((request.len() + response.len()) as u64));
    let (mut requests, mut responses) = (Reader::requests(), Reader::responses());
    group.bench_function("request and response", |bencher| {
        bencher.iter(|| {
            let mut fields = 0;
            let mut count = |event: Event<'_>| match event {
                Event::Request(head) => fields += head.fields.count(),
                Event::Response(head) => fields += head.fields.count(),
                _ => {}
            };
            requests.read(black_box(&request), &mut count);
            responses.expect(Asked::Other);
            responses.read(black_box(&response), &mut count);
            fields
        });
    });
}

fn redacting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("redact");
    let redactor = Redactor::new();
    let head = request(1);
    group.bench_function("a head of 12 fields that came before", |bencher| {
        bencher.iter(|| redactor.wire().fields(Fields::new(black_box(lines(&head)))));
    });
    let mut number = 0;
    group.bench_function("one in which two fields are new", |bencher| {
        let next = || {
            number += 1;
            request(number)
        };
        bencher.iter_batched(next, |head| redactor.wire().fields(Fields::new(lines(&head))), BatchSize::SmallInput);
    });
    group.bench_function("one of a new run", |bencher| {
        let fresh = Redactor::new;
        bencher.iter_batched_ref(fresh, |run| run.wire().fields(Fields::new(lines(&head))), BatchSize::SmallInput);
    });
}

fn recording(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    let redactor = Redactor::new();
    let mut recorder = recorder(&redactor);
    let (same_request, same_response) = (request(1), response(1));
    group.bench_function("an exchange that came before", |bencher| {
        bencher.iter(|| record(&mut recorder, &same_request, &same_response));
    });
    let mut number = 0;
    group.bench_function("one with a new body and new ids", |bencher| {
        let next = || {
            number += 1;
            (request(number), response(number))
        };
        let run = |(request, response): (Vec<u8>, Vec<u8>)| record(&mut recorder, &request, &response);
        bencher.iter_batched(next, run, BatchSize::SmallInput);
    });
}

fn writing(criterion: &mut Criterion) {
    const BATCH: u64 = 1000;
    let mut group = criterion.benchmark_group("write");
    group.throughput(Throughput::Elements(BATCH));
    group.sample_size(20);
    let folder = tempfile::tempdir().unwrap();
    let redactor = Redactor::new();
    let writer = Writer::begin(&folder.path().join("bench.authtap"), Mode::Forward, &redactor).unwrap();
    let mut recorder = recorder(&redactor);
    let exchange = record(&mut recorder, &request(1), &response(1));
    let mut id = 0;
    group.bench_function("1000 rows", |bencher| {
        let next = || -> Vec<Arc<Exchange>> {
            id += BATCH;
            (0..BATCH).map(|more| Arc::new(Exchange { id: id + more, ..exchange.clone() })).collect()
        };
        let write = |exchanges: Vec<Arc<Exchange>>| {
            for exchange in exchanges {
                writer.append(exchange);
            }
            writer.flush();
        };
        bencher.iter_batched(next, write, BatchSize::SmallInput);
    });
    assert_eq!(writer.close().lost, 0);
}

criterion_group!(parts, reading, redacting, recording, writing);
criterion_main!(parts);

/* stage.eventlogmessage: `Key: value` lines of a Windows event's message become extracted values.
 */
#include "components/loki/process/event_fields.h"

const struct schema eventlogmessage_stage_schema = SCHEMA(struct event_args, event_rows);

static bool classic_name(struct str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i], low = (char)(c | 0x20);
        bool letter = (low >= 'a' && low <= 'z') || c == '_', digit = c >= '0' && c <= '9';

        if (!letter && !(digit && i)) return false;
    }
    return key.n > 0;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct event_args *args = r->plan;
    struct str message;
    enum stage_result result = event_message(e, args, &message);
    bool more = message.p != NULL, field;

    while (more) {
        struct str value = event_cut(&message, STR("\r\n"), &more),
                   key = event_cut(&value, STR(":"), &field);
        if (field) event_put(e, args, key, classic_name(key), event_trim(value));
    }
    return result;
}

const struct stage_ops eventlogmessage_stage = {.run = run};

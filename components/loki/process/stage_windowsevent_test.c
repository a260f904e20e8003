/* stage.windowsevent and stage.eventlogmessage: messages as Windows writes them. */
#include "components/loki/process/stage_cases.h"

/* The message is what the line's first field says; it goes through stage.json to hold line breaks.
 */
#define FROM_JSON "stage.json { expressions = { message = \"\" } }\n"

static void reads_sections(void **state)
{
    static const struct extract_case cases[] = {
        {FROM_JSON "stage.windowsevent { }",
         "Description,Subject_SecurityID,Subject_LogonID,LogonType",
         "{\"message\":\"A logon.\\\\r\\\\n\\\\r\\\\nSubject:\\\\r\\\\n\\\\tSecurity "
         "ID:\\\\t\\\\tS-1-5\\\\r\\\\n"
         "\\\\tLogon ID:\\\\t0x3E7 \\\\r\\\\n\\\\r\\\\nLogon Type:\\\\t3\"}",
         "{Description=\"A logon.\", LogonType=\"3\", Subject_LogonID=\"0x3E7\", "
         "Subject_SecurityID=\"S-1-5\"}"},
        {FROM_JSON "stage.windowsevent { }", "Description,Privileges,Next",
         "{\"message\":\"D\\\\r\\\\n\\\\r\\\\nPrivileges:"
         "\\\\tSeA\\\\r\\\\n\\\\t\\\\tSeB\\\\r\\\\n\\\\t\\\\tSeC\\\\r\\\\nNext: x\"}",
         "{Description=\"D\", Next=\"x\", Privileges=\"SeA,SeB,SeC\"}"},
        /* keys that are there get a suffix, or are replaced */
        {FROM_JSON "stage.windowsevent { }", "message,message_extracted",
         "{\"message\":\"D\\\\r\\\\n\\\\r\\\\nmessage: new\"}",
         "{message=\"D\\r\\n\\r\\nmessage: new\", message_extracted=\"new\"}"},
        {FROM_JSON "stage.windowsevent { overwrite_existing = true }", "message,message_extracted",
         "{\"message\":\"D\\\\r\\\\n\\\\r\\\\nmessage: new\"}", "{message=\"new\"}"},
        {FROM_JSON "stage.windowsevent { }", "_", "{\"message\":\"D\\\\r\\\\n\\\\r\\\\n : new\"}",
         "{_=\"new\"}"},
        {FROM_JSON "stage.windowsevent { drop_invalid_labels = true }", "_",
         "{\"message\":\"D\\\\r\\\\n\\\\r\\\\n : new\"}", "{}"},
        {"stage.windowsevent { }", "Description", "no message", "{}"},
    };
    EXTRACT_ALL(cases);
}

static void reads_fields(void **state)
{
    static const struct extract_case cases[] = {
        {FROM_JSON "stage.eventlogmessage { }", "Image,Process_Id,_st,UtcTime",
         "{\"message\":\"Process Create:\\\\r\\\\nUtcTime: 2021-01-02 03:04\\\\r\\\\nImage: "
         "C:\\\\\\\\x\\\\r\\\\n"
         "Process Id: 7\\\\r\\\\n1st:  v \\\\r\\\\nno field\"}",
         "{Image=\"C:\\\\x\", Process_Id=\"7\", UtcTime=\"2021-01-02 03:04\", _st=\"v\"}"},
        {FROM_JSON "stage.eventlogmessage { drop_invalid_labels = true }", "A_B,C",
         "{\"message\":\"A B: 1\\\\r\\\\nC:2\"}", "{C=\"2\"}"},
        {FROM_JSON "stage.eventlogmessage { }", "C,C_extracted",
         "{\"message\":\"C: 1\\\\r\\\\nC:2\"}", "{C=\"1\", C_extracted=\"2\"}"},
        {FROM_JSON "stage.eventlogmessage { overwrite_existing = true }", "C,C_extracted",
         "{\"message\":\"C: 1\\\\r\\\\nC:2\"}", "{C=\"2\"}"},
    };
    EXTRACT_ALL(cases);
    process_case(
        "stage.eventlogmessage { source = \"other\" }\nstage.labels { values = { K = \"\" } }",
        "{other=\"K: v\"} x", "{K=\"v\", other=\"K: v\"} x\n");
}

/* A source that cannot be a text ends the entry. */
static void drops(void **state)
{
    process_case(FROM_JSON "stage.eventlogmessage { }", "{} {\"message\":null}\n{} {\"message\":1}",
                 "{} {\"message\":1}\n");
    process_case(FROM_JSON "stage.windowsevent { }", "{} {\"message\":null}\nx", "{} x\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_sections),
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(drops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

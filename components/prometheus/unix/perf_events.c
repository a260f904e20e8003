/* Tables of perf's events. */
#include "components/prometheus/unix/perf_events.h"

#include <linux/perf_event.h>

#define EVENT(profiler_, name_, config_, help_)                                                    \
    {                                                                                              \
        .profiler = (profiler_), .name = "node_perf_" name_, .help = (help_), .config = (config_)  \
    }

static const struct perf_event hardware[] = {
    EVENT("CpuCycles", "cpucycles_total", PERF_COUNT_HW_CPU_CYCLES,
          "Number of CPU cycles (frequency scaled)"),
    EVENT("CpuInstr", "instructions_total", PERF_COUNT_HW_INSTRUCTIONS,
          "Number of CPU instructions"),
    EVENT("CacheRef", "cache_refs_total", PERF_COUNT_HW_CACHE_REFERENCES,
          "Number of cache references (non frequency scaled)"),
    EVENT("CacheMisses", "cache_misses_total", PERF_COUNT_HW_CACHE_MISSES,
          "Number of cache misses"),
    EVENT("BranchInstr", "branch_instructions_total", PERF_COUNT_HW_BRANCH_INSTRUCTIONS,
          "Number of CPU branch instructions"),
    EVENT("BranchMisses", "branch_misses_total", PERF_COUNT_HW_BRANCH_MISSES,
          "Number of CPU branch misses"),
    EVENT("StalledCyclesBackend", "stalled_cycles_backend_total",
          PERF_COUNT_HW_STALLED_CYCLES_BACKEND, "Number of stalled backend CPU cycles"),
    EVENT("StalledCyclesFrontend", "stalled_cycles_frontend_total",
          PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, "Number of stalled frontend CPU cycles"),
    EVENT("RefCpuCycles", "ref_cpucycles_total", PERF_COUNT_HW_REF_CPU_CYCLES,
          "Number of CPU cycles"),
};

static const struct perf_event software[] = {
    EVENT("PageFault", "page_faults_total", PERF_COUNT_SW_PAGE_FAULTS, "Number of page faults"),
    EVENT("ContextSwitch", "context_switches_total", PERF_COUNT_SW_CONTEXT_SWITCHES,
          "Number of context switches"),
    EVENT("CpuMigration", "cpu_migrations_total", PERF_COUNT_SW_CPU_MIGRATIONS,
          "Number of CPU process migrations"),
    EVENT("MinorFault", "minor_faults_total", PERF_COUNT_SW_PAGE_FAULTS_MIN,
          "Number of minor page faults"),
    EVENT("MajorFault", "major_faults_total", PERF_COUNT_SW_PAGE_FAULTS_MAJ,
          "Number of major page faults"),
};

#define CACHE(which, op, result)                                                                   \
    (PERF_COUNT_HW_CACHE_##which | PERF_COUNT_HW_CACHE_OP_##op << 8 |                              \
     PERF_COUNT_HW_CACHE_RESULT_##result << 16)

static const struct perf_event cache[] = {
    EVENT("L1DataReadHit", "cache_l1d_read_hits_total", CACHE(L1D, READ, ACCESS),
          "Number L1 data cache read hits"),
    EVENT("L1DataReadMiss", "cache_l1d_read_misses_total", CACHE(L1D, READ, MISS),
          "Number L1 data cache read misses"),
    EVENT("L1DataWriteHit", "cache_l1d_write_hits_total", CACHE(L1D, WRITE, ACCESS),
          "Number L1 data cache write hits"),
    EVENT("L1InstrReadMiss", "cache_l1_instr_read_misses_total", CACHE(L1I, READ, MISS),
          "Number instruction L1 instruction read misses"),
    EVENT("InstrTLBReadHit", "cache_tlb_instr_read_hits_total", CACHE(ITLB, READ, ACCESS),
          "Number instruction TLB read hits"),
    EVENT("InstrTLBReadMiss", "cache_tlb_instr_read_misses_total", CACHE(ITLB, READ, MISS),
          "Number instruction TLB read misses"),
    EVENT("DataTLBReadHit", "cache_tlb_data_read_hits_total", CACHE(DTLB, READ, ACCESS),
          "Number of data TLB read hits"),
    EVENT("DataTLBReadMiss", "cache_tlb_data_read_misses_total", CACHE(DTLB, READ, MISS),
          "Number of data TLB read misses"),
    EVENT("DataTLBWriteHit", "cache_tlb_data_write_hits_total", CACHE(DTLB, WRITE, ACCESS),
          "Number of data TLB write hits"),
    EVENT("DataTLBWriteMiss", "cache_tlb_data_write_misses_total", CACHE(DTLB, WRITE, MISS),
          "Number of data TLB write misses"),
    EVENT("LLReadHit", "cache_ll_read_hits_total", CACHE(LL, READ, ACCESS),
          "Number last level read hits"),
    EVENT("LLReadMiss", "cache_ll_read_misses_total", CACHE(LL, READ, MISS),
          "Number last level read misses"),
    EVENT("LLWriteHit", "cache_ll_write_hits_total", CACHE(LL, WRITE, ACCESS),
          "Number last level write hits"),
    EVENT("LLWriteMiss", "cache_ll_write_misses_total", CACHE(LL, WRITE, MISS),
          "Number last level write misses"),
    EVENT("BPUReadHit", "cache_bpu_read_hits_total", CACHE(BPU, READ, ACCESS),
          "Number BPU read hits"),
    EVENT("BPUReadMiss", "cache_bpu_read_misses_total", CACHE(BPU, READ, MISS),
          "Number BPU read misses"),
};

const struct perf_event_list perf_events[PERF_KINDS] = {
    [PERF_HARDWARE] = {hardware, ARRAY_LEN(hardware)},
    [PERF_SOFTWARE] = {software, ARRAY_LEN(software)},
    [PERF_CACHE] = {cache, ARRAY_LEN(cache)},
};
const unsigned perf_types[PERF_KINDS] = {
    [PERF_HARDWARE] = PERF_TYPE_HARDWARE,
    [PERF_SOFTWARE] = PERF_TYPE_SOFTWARE,
    [PERF_CACHE] = PERF_TYPE_HW_CACHE,
};

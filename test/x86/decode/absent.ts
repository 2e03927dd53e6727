/** Where the decoder and iced-x86 differ on purpose, by iced's mnemonic. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * Encodings that are none for the decoder: extensions that the machine's CPUID does not report, so that they are a #UD,
 * Intel's VMX, SMX, key locker, FRED and AMX, VIA's PadLock, and SYSENTER and SYSEXIT, which AMD has not in long mode
 * (APM vol. 3, SYSENTER).
 */
export const ABSENT = words(`
  aadd aand aor axor aesdec128kl aesdec256kl aesdecwide128kl aesdecwide256kl aesenc128kl aesenc256kl aesencwide128kl
  aesencwide256kl encodekey128 encodekey256 loadiwkey blendpd blendps blendvpd blendvps dppd dpps enqcmd enqcmds erets eretu
  extractps extrq insertps insertq movntsd movntss getsec getsecq gf2p8affineinvqb gf2p8affineqb gf2p8mulb hreset ldtilecfg
  sttilecfg tilezero montmul xcryptcbc xcryptecb xsha1 xsha256 xstore movdir64b movdiri mpsadbw pblendvb pblendw pcmpestri
  pcmpestri64 pcmpestrm pcmpestrm64 pcmpistri pcmpistrm pfmin pfrsqit1 phminposuw pmovsxbd pmovsxbq pmovsxbw pmovsxdq pmovsxwd
  pmovsxwq pmovzxbd pmovzxbq pmovzxbw pmovzxdq pmovzxwd pmovzxwq roundpd roundps roundsd roundss sysenter sysexit sysexitq
  vmread vmwrite vprold vprolq vpslld vpsrad vpsraq vpsrld`);

/** NOPs of AMD's manual that have other names at iced. */
export const OTHER_NAMES = words('reservednop prefetchit0 prefetchit1 cldemote');
